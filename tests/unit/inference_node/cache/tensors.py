"""Tensors of every datatype of the protocol, and what makes two of them the same."""

from collections.abc import Mapping

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from inference_node.models.session import DATATYPES, Tensor

NAMES = st.text(st.characters(codec="utf-8"), max_size=5)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
NUMBERS = [np.dtype(kind) for _, kind in DATATYPES.values() if kind is not np.object_]
ELEMENTS = st.text(st.characters(codec="utf-8"), max_size=4) | st.binary(max_size=4)


@st.composite
def _texts(draw: st.DrawFn) -> Tensor:
    shape = draw(SHAPES)
    count = int(np.prod(shape, dtype=int))
    flat = np.empty(count, object)
    flat[:] = draw(st.lists(ELEMENTS, min_size=count, max_size=count))
    return flat.reshape(shape)


@st.composite
def _numbers(draw: st.DrawFn) -> Tensor:
    """Any bits at all: every NaN, both zeros, what is no neighbour in memory."""
    dtype = draw(st.sampled_from(NUMBERS))
    shape = draw(SHAPES)
    count = int(np.prod(shape, dtype=int)) * dtype.itemsize
    bits = np.frombuffer(draw(st.binary(min_size=count, max_size=count)), np.uint8)
    if dtype.kind == "b":
        bits = bits % 2
    tensor = bits.view(dtype).reshape(shape)
    return tensor.T if draw(st.booleans()) else tensor


TENSORS = st.one_of(_numbers(), _texts())
TENSOR_MAPS = st.dictionaries(NAMES, TENSORS, max_size=3)


def bits_of(tensors: Mapping[str, Tensor]) -> object:
    """Return something that is equal for equal names, datatypes, shapes and bits only."""
    return {
        name: (
            tensor.dtype.str,
            tensor.shape,
            tensor.ravel().tolist() if tensor.dtype.kind == "O" else tensor.tobytes(),
        )
        for name, tensor in tensors.items()
    }
