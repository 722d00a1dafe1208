"""Labelled digit images, and the `.npz` file that hands them to other programs."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model_lab.errors import SampleError

SIDE = 32
"""Width and height of an image in pixels."""
CLASSES = 10
GREY_SCALE = 1 / 255
"""Factor from a grey byte (0..255) to the model's input (0..1)."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Grey images, bright ink on black, and the digit each one shows.

    `images` is uint8 [n, 32, 32], `labels` is uint8 [n] with values 0..9.
    Raises SampleError where shapes, types or values differ from that.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]

    def __post_init__(self) -> None:
        for name, array in (("images", self.images), ("labels", self.labels)):
            if array.dtype != np.uint8:
                raise SampleError(f"{name}: dtype {array.dtype}, accepted is uint8")
        if self.images.ndim != 3 or self.images.shape[1:] != (SIDE, SIDE):
            raise SampleError(f"images: shape {self.images.shape}, accepted is (n, {SIDE}, {SIDE})")
        if self.labels.shape != (len(self.images),):
            raise SampleError(
                f"labels: shape {self.labels.shape}, accepted is ({len(self.images)},), "
                "one label per image"
            )
        if self.labels.size and int(self.labels.max()) >= CLASSES:
            raise SampleError(f"labels: value {self.labels.max()}, accepted is 0..{CLASSES - 1}")

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)


def to_input(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Turn uint8 images [n, 32, 32] into the model's input: float32 [n, 1, 32, 32], 0..1."""
    return images[:, np.newaxis].astype(np.float32) * np.float32(GREY_SCALE)


def write_sample(path: Path, digits: Digits) -> None:
    """Write `images` and `labels` as a compressed npz; equal digits give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, images=digits.images, labels=digits.labels)


def read_sample(path: Path) -> Digits:
    """Read what write_sample wrote.

    Raises SampleError if the file is missing, damaged, or holds other arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return Digits(images=arrays["images"], labels=arrays["labels"])
    except FileNotFoundError:
        raise SampleError(f"{path}: no such file; `python -m model_lab train` writes it") from None
    except KeyError as error:
        raise SampleError(f"{path}: {error.args[0]}; needed are `images`, `labels`") from error
    except (ValueError, TypeError, EOFError, OSError, zipfile.BadZipFile) as error:
        # TypeError: a lone .npy array is no context manager.
        raise SampleError(f"{path}: not a readable npz archive ({error})") from error
    except SampleError as error:
        raise SampleError(f"{path}: {error}") from error
