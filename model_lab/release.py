"""Training the digit model and writing both versions of it, with their cards and the sample."""

from pathlib import Path

import onnx

from model_lab.card import Architecture, Card, DataSet, Quality, SplitSizes, write_card
from model_lab.classifier import Classifier
from model_lab.config import render_config
from model_lab.digits import Split, load_split
from model_lab.export import build_onnx
from model_lab.measurement import measure
from model_lab.network import Network, Recipe, train_network
from model_lab.quantization import quantize
from model_lab.sample import write_sample
from model_lab.shelf import CARD, CONFIG, MODEL, REFERENCE, VARIANTS, version_folder

DATA_SET = DataSet(
    name="UCI Optical Recognition of Handwritten Digits",
    source="https://archive.ics.uci.edu/dataset/80, as shipped with scikit-learn (1,797 images)",
    licence="CC BY 4.0",
    citation=(
        "E. Alpaydin, C. Kaynak. Optical Recognition of Handwritten Digits. "
        "UCI Machine Learning Repository, 1998. doi:10.24432/C50P49"
    ),
    preparation="8x8 counts 0..16 scaled to grey 0..255, enlarged to 32x32 (Pillow, bicubic)",
)
SPLIT_NOTE = (
    "Stratified by digit. The set names no writers, so one person's digits may be in several "
    "parts: accuracy on a new writer is likely lower."
)
QUANTISATION = (
    "static QDQ; weights int8 (7 bits used) and activations uint8, one scale per tensor, "
    "calibrated (min-max) on the training part; last layer FP32"
)


def release(output: Path, seed: int, recipe: Recipe) -> dict[str, Card]:
    """Train, then write models, configs, cards and sample below `output`; return the cards.

    `output` gets `models/digits/1` (FP32), `models/digits/2` (int8) and `samples/digits.npz`
    (the test part). The test part is looked at once, after everything is decided.
    """
    split = load_split(seed)
    write_sample(output / "samples" / "digits.npz", split.test)
    network = train_network(split.train, seed, recipe)
    models = {version: version_folder(output / "models", version) / MODEL for version in VARIANTS}
    for path in models.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    fp32 = build_onnx(network)
    onnx.save(fp32, models["1"])
    quantize(fp32, models["2"], split.train.images)

    performance = measure(models)
    reference = Classifier(models[REFERENCE])
    cards = {}
    for version, variant in VARIANTS.items():
        cards[version] = Card(
            title=f"Handwritten digits, {variant}",
            task="Classify a 32x32 grey image as one of the digits 0 to 9",
            version=version,
            variant=variant,
            data_set=DATA_SET,
            split=_split_sizes(split, seed),
            architecture=_architecture(network, recipe, variant),
            quality=_quality(models[version], reference, split),
            performance=performance[version],
        )
        models[version].with_name(CONFIG).write_text(render_config(variant), encoding="utf-8")
        write_card(models[version].with_name(CARD), cards[version])
    return cards


def _split_sizes(split: Split, seed: int) -> SplitSizes:
    return SplitSizes(
        seed=seed,
        train=len(split.train),
        validation=len(split.validation),
        test=len(split.test),
        note=SPLIT_NOTE,
    )


def _architecture(network: Network, recipe: Recipe, variant: str) -> Architecture:
    return Architecture(
        layers="fully connected, ReLU between layers, softmax at the end",
        widths=network.widths,
        parameters=network.parameters,
        training=(
            f"Adam, learning rate {recipe.learning_rate:g}, batch {recipe.batch_size}, "
            f"L2 {recipe.l2_penalty:g}, {recipe.epochs} epochs of each image plain and distorted "
            f"(turned up to {recipe.rotation_degrees:g} degrees, moved up to "
            f"{recipe.shift_pixels} pixels), weights averaged over the last "
            f"{recipe.averaged_epochs} epochs"
        ),
        quantisation=QUANTISATION if variant == "int8" else None,
    )


def _quality(model: Path, reference: Classifier, split: Split) -> Quality:
    classifier = Classifier(model)
    agreeing = classifier.classify(split.test.images) == reference.classify(split.test.images)
    return Quality(
        file_bytes=model.stat().st_size,
        validation_accuracy=round(classifier.accuracy(split.validation), 4),
        test_accuracy=round(classifier.accuracy(split.test), 4),
        agreement_with_fp32=round(float(agreeing.mean()), 4),
    )
