"""Triton's classification extension: an output as its largest values, `value:index[:label]`."""

import math
from collections.abc import Sequence

import numpy as np

from inference_node.models.session import Tensor


def top_classes(tensor: Tensor, count: int, labels: Sequence[str]) -> Tensor:
    """Return the `count` largest values of each item of `tensor`, largest first, as strings.

    The first axis of the numeric `tensor` holds the items, all others together the classes. The
    result has shape [items, min(count, classes)]. Of equal values the first comes first; NaN comes
    last. A class beyond `labels` has no label. Floats have six decimals, as from std::to_string.
    """
    items = len(tensor) if tensor.ndim else 1
    rows = tensor.reshape(items, math.prod(tensor.shape[1:]))
    count = min(count, rows.shape[1])
    strings = np.empty((len(rows), count), np.object_)
    for row, found in zip(rows, strings, strict=True):
        for place, index in enumerate(_largest(row, count)):
            value = row[index].item()
            text = f"{value:f}" if isinstance(value, float) else str(value)
            label = f":{labels[index]}" if index < len(labels) else ""
            found[place] = f"{text}:{index}{label}"
    return strings


def _largest(row: Tensor, count: int) -> list[int]:
    """Return the indices of the `count` largest values."""
    # Both turn the order round, NaN stays last; only a float has a negative of every value.
    keys = np.negative(row) if row.dtype.kind == "f" else np.invert(row)
    order: list[int] = np.argsort(keys, kind="stable")[:count].tolist()
    return order
