"""A wide fully connected network and how it is trained."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from model_lab.digits import distort
from model_lab.sample import CLASSES, SIDE, Digits, to_input

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What training depends on besides data and seed; chosen on the validation part.

    The two hidden widths are the product's choice, not accuracy's: 1,024 reaches the same
    accuracy, but only a wide layer makes one request cost about a millisecond.
    """

    hidden: tuple[int, ...] = (2048, 2048)
    epochs: int = 32
    averaged_epochs: int = 8
    batch_size: int = 128
    learning_rate: float = 1e-4
    l2_penalty: float = 1e-4
    rotation_degrees: float = 10.0
    shift_pixels: int = 2

    def __post_init__(self) -> None:
        if not 1 <= self.averaged_epochs <= self.epochs:
            raise ValueError(
                f"averaged_epochs: {self.averaged_epochs}, accepted is 1..epochs ({self.epochs})"
            )


@dataclass(frozen=True, slots=True)
class Network:
    """Layers in order; layer i maps x to x @ weights[i] + biases[i], with ReLU between layers.

    `weights[i]` is float32 [inputs, outputs], `biases[i]` is float32 [outputs].
    """

    weights: tuple[Matrix, ...]
    biases: tuple[Matrix, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the number of values before, between and after the layers."""
        return (self.weights[0].shape[0], *(bias.shape[0] for bias in self.biases))

    @property
    def parameters(self) -> int:
        """Return the number of trained values."""
        return sum(array.size for array in (*self.weights, *self.biases))


def train_network(train: Digits, seed: int, recipe: Recipe) -> Network:
    """Train with Adam on cross-entropy; return the mean of the last epochs' weights.

    Each epoch sees every image twice: as it is, and freshly distorted. Averaging the weights of
    the last epochs (Polyak and Juditsky, 1992) takes the place of a learning-rate schedule.
    One thread computes, so that the result depends on the seed and not on the core count.
    """
    generator = np.random.default_rng(seed)
    classifier = MLPClassifier(
        hidden_layer_sizes=recipe.hidden,
        learning_rate_init=recipe.learning_rate,
        alpha=recipe.l2_penalty,
        batch_size=min(recipe.batch_size, 2 * len(train)),
        random_state=seed,
    )
    labels = np.concatenate([train.labels, train.labels])
    total: list[npt.NDArray[np.float64]] = []
    with threadpool_limits(limits=1):
        for epoch in range(recipe.epochs):
            distorted = distort(
                train.images, generator, recipe.rotation_degrees, recipe.shift_pixels
            )
            images = to_input(np.concatenate([train.images, distorted]))
            classifier.partial_fit(
                images.reshape(len(images), SIDE * SIDE), labels, classes=np.arange(CLASSES)
            )
            if epoch < recipe.epochs - recipe.averaged_epochs:
                continue
            layers = [*classifier.coefs_, *classifier.intercepts_]
            if not total:
                total = [np.zeros(array.shape, np.float64) for array in layers]
            for mean, array in zip(total, layers, strict=True):
                mean += array / recipe.averaged_epochs
    mean_layers = [array.astype(np.float32) for array in total]
    depth = len(mean_layers) // 2
    return Network(weights=tuple(mean_layers[:depth]), biases=tuple(mean_layers[depth:]))
