"""The images a replay sends, encoded once, before the first request is due."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from inference_node.replay.errors import ReplayInputError

SIDE_PIXELS = 32


@dataclass(frozen=True)
class ReplayImages:
    """n request bodies (PNG files) and, for each, the class a right answer names."""

    bodies: tuple[bytes, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.bodies)

    @classmethod
    def encoded(cls, images: npt.NDArray[np.uint8], labels: npt.NDArray[Any]) -> Self:
        """Return grey-scale `images`, uint8 [n, 32, 32], as PNG files, with `labels` [n].

        Raises ReplayInputError when the arrays have another type or shape or n is 0.
        """
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (SIDE_PIXELS,) * 2:
            shown = f"{images.dtype} {list(images.shape)}"
            raise ReplayInputError("images", shown, f"uint8 [n, {SIDE_PIXELS}, {SIDE_PIXELS}]")
        if len(images) == 0:
            raise ReplayInputError("images", "empty", "at least one image")
        if labels.shape != images.shape[:1] or labels.dtype.kind not in "iuU":
            shown = f"{labels.dtype} {list(labels.shape)}"
            raise ReplayInputError("labels", shown, f"integers or strings [{len(images)}]")
        return cls(
            bodies=tuple(_png(image) for image in images),
            labels=tuple(str(label) for label in labels.tolist()),
        )


def load_images(path: Path) -> ReplayImages:
    """Return the images of a .npz file with the arrays `images` and `labels`.

    Raises ReplayInputError when the file is missing, is no .npz, or lacks what `encoded` accepts.
    """
    try:
        # Opened here, as numpy leaves the file open when it is no .npz. allow_pickle=False: a data
        # file must not be able to run code.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return ReplayImages.encoded(arrays["images"], arrays["labels"])
    except ReplayInputError as error:
        name = f"images {path}: {error.name}"
        raise ReplayInputError(name, error.value, error.accepted) from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        # TypeError: a lone .npy array is no context manager.
        accepted = "a readable .npz file with the arrays images and labels"
        raise ReplayInputError("images", str(path), accepted) from error


def _png(image: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()
