"""The UCI handwritten digits: enlarged, split into three parts, and distorted for training."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from model_lab.sample import SIDE, Digits

UCI_MAXIMUM = 16
"""UCI counts the inked pixels of each 4x4 block of a scan: 0..16."""
VALIDATION_IMAGES = 269
TEST_IMAGES = 450


@dataclass(frozen=True, slots=True)
class Split:
    """Three disjoint parts: weights see `train`, choices see `validation`, claims see `test`."""

    train: Digits
    validation: Digits
    test: Digits


def load_digit_images() -> Digits:
    """Return the 1,797 UCI digits that scikit-learn ships, enlarged from 8x8 to 32x32 pixels.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998, doi:10.24432/C50P49, CC BY 4.0 (the test part of that set).
    """
    bunch = load_digits()
    grey = np.rint(np.asarray(bunch.images) * (255 / UCI_MAXIMUM)).astype(np.uint8)
    images = np.stack(
        [
            np.asarray(
                Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.uint8
            )
            for image in grey
        ]
    )
    return Digits(images=images, labels=np.asarray(bunch.target).astype(np.uint8))


def load_split(seed: int) -> Split:
    """Split the digits into 1,078 / 269 / 450 images with equal shares of each digit.

    The same seed gives the same three parts in the same order.
    """
    digits = load_digit_images()
    rest, test = train_test_split(
        np.arange(len(digits)), test_size=TEST_IMAGES, stratify=digits.labels, random_state=seed
    )
    train, validation = train_test_split(
        rest, test_size=VALIDATION_IMAGES, stratify=digits.labels[rest], random_state=seed
    )

    def part(rows: npt.NDArray[np.intp]) -> Digits:
        return Digits(images=digits.images[rows], labels=digits.labels[rows])

    return Split(train=part(train), validation=part(validation), test=part(test))


def distort(
    images: npt.NDArray[np.uint8],
    generator: np.random.Generator,
    rotation_degrees: float,
    shift_pixels: int,
) -> npt.NDArray[np.uint8]:
    """Turn and move each image by its own random amount, up to the two bounds, either way.

    `images` is uint8 [n, 32, 32]; the result has the same shape. What leaves the frame is lost,
    what enters it is black.
    """
    distorted = np.empty_like(images)
    angles = generator.uniform(-rotation_degrees, rotation_degrees, len(images))
    shifts = generator.integers(-shift_pixels, shift_pixels + 1, (len(images), 2))
    for row, (image, angle, (right, down)) in enumerate(zip(images, angles, shifts, strict=True)):
        distorted[row] = np.asarray(
            Image.fromarray(image).rotate(
                float(angle), Image.Resampling.BILINEAR, translate=(int(right), int(down))
            ),
            np.uint8,
        )
    return distorted
