"""Two requests have the same key exactly where they must get the same answer."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.cache.fingerprint import model_fingerprint
from inference_node.cache.key import KEY_BYTES, cache_key
from inference_node.models.session import Tensor
from tests.unit.inference_node.cache.tensors import NAMES, TENSOR_MAPS, bits_of


def key_of(
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str] = ("y",),
    *,
    name: str = "m",
    version: str = "1",
    fingerprint: str = "f",
    tenant: str | None = None,
) -> bytes:
    return cache_key(name, version, fingerprint, inputs, outputs, tenant)


def x(values: Any, dtype: Any = np.float32) -> dict[str, Tensor]:
    return {"x": np.array(values, dtype)}


def test_the_key_has_twenty_bytes_and_is_the_same_in_every_process() -> None:
    # Of a shared Redis: a change of this value needs a change of FORMAT.
    key = key_of({"x": np.arange(3, dtype=np.float32), "t": np.array(["ä", b"b"], object)})
    assert len(key) == KEY_BYTES
    assert key.hex() == "318aa9694f5f9494f92cc24405097caab4233264"


def test_everything_that_an_answer_depends_on_changes_the_key() -> None:
    keys = [
        key_of(x([[1, 2]])),
        key_of(x([[1, 2]]), name="n"),
        key_of(x([[1, 2]]), version="2"),
        key_of(x([[1, 2]]), fingerprint="g"),
        key_of(x([[1, 2]]), tenant="a"),
        key_of(x([[1, 2]]), tenant=""),
        key_of(x([[1, 2]]), ["y", "z"]),
        key_of(x([[1, 2]]), ["z"]),
        key_of(x([[1], [2]])),
        key_of(x([1, 2])),
        key_of(x([[1, 2]], np.int32)),
        key_of(x([[1, 3]])),
        key_of({"z": np.array([[1, 2]], np.float32)}),
        key_of({}),
    ]
    assert len(set(keys)) == len(keys)


def test_parts_cannot_be_moved_across_their_borders() -> None:
    assert key_of({}, name="ab", version="c") != key_of({}, name="a", version="bc")
    assert key_of({}, ["ab"]) != key_of({}, ["a", "b"])
    assert key_of(x(["ab", "c"], object)) != key_of(x(["a", "bc"], object))
    assert key_of(x(["a", ""], object)) != key_of(x(["", "a"], object))
    one, two = np.array([1], np.uint8), np.array([2], np.uint8)
    assert key_of({"a": one, "b": two}) != key_of({"a": two, "b": one})


def test_values_count_by_their_bits() -> None:
    assert key_of(x([0.0])) != key_of(x([-0.0]))
    quiet, other = (
        np.array([bits], np.uint32).view(np.float32) for bits in (0x7FC00000, 0x7FC00001)
    )
    assert key_of({"x": quiet}) == key_of({"x": quiet.copy()})
    assert key_of({"x": quiet}) != key_of({"x": other})


def test_empty_tensors_differ_by_their_shape() -> None:
    assert key_of(x(np.zeros((0, 3)))) != key_of(x(np.zeros((3, 0))))
    assert key_of(x([])) != key_of(x([], object))


def test_where_a_tensor_lies_in_memory_does_not_matter() -> None:
    whole = np.arange(24, dtype=np.float32).reshape(4, 6)
    for view in (whole.T, whole[::2, 1::2], whole[::-1]):
        assert key_of({"x": view}) == key_of({"x": view.copy()})


def test_the_order_of_inputs_and_outputs_and_a_repeated_output_do_not_matter() -> None:
    one, two = np.array([1.0]), np.array([2.0])
    assert key_of({"a": one, "b": two}) == key_of({"b": two, "a": one})
    assert key_of({}, ["y", "z"]) == key_of({}, ["z", "y"]) == key_of({}, ["z", "y", "y"])


def test_text_is_the_same_as_its_utf8_bytes() -> None:
    assert key_of(x(["ä"], object)) == key_of(x(["ä".encode()], object))


def test_a_bytes_tensor_that_holds_something_else_is_refused() -> None:
    with pytest.raises(TypeError, match="holds int; accepted: bytes, str"):
        key_of(x([1], object))


REQUESTS = st.tuples(
    TENSOR_MAPS, st.lists(NAMES, max_size=3), NAMES, NAMES, NAMES, st.none() | NAMES
)


def meaning(request: Any) -> object:
    """Return what the request asks, written down in another way than the key does."""
    inputs, outputs, *others = request
    spelled = {
        name: np.array(
            [e.encode() if isinstance(e, str) else e for e in tensor.flat] or [b""], object
        )
        if tensor.dtype.kind == "O"
        else tensor
        for name, tensor in inputs.items()
    }
    shapes = {name: (tensor.dtype.str, tensor.shape) for name, tensor in inputs.items()}
    return (bits_of(spelled), shapes, set(outputs), *others)


@given(REQUESTS, REQUESTS)
def test_keys_are_equal_exactly_where_the_requests_are(one: Any, two: Any) -> None:
    keys = [
        key_of(inputs, outputs, name=name, version=version, fingerprint=print_, tenant=tenant)
        for inputs, outputs, name, version, print_, tenant in (one, two)
    ]
    assert (keys[0] == keys[1]) == (meaning(one) == meaning(two))


@given(TENSOR_MAPS, st.data())
def test_a_single_other_bit_is_another_key(inputs: dict[str, Tensor], data: st.DataObject) -> None:
    numbers = [name for name, tensor in inputs.items() if tensor.dtype.kind != "O" and tensor.size]
    if not numbers:
        return
    name = data.draw(st.sampled_from(numbers))
    flipped = bytearray(inputs[name].tobytes())
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= 1
    other = np.frombuffer(bytes(flipped), inputs[name].dtype).reshape(inputs[name].shape)
    assert key_of(inputs) != key_of({**inputs, name: other})


def test_the_fingerprint_of_a_model_is_that_of_its_bytes(tmp_path: Path) -> None:
    prints = []
    for name, content in (("a", b"one"), ("b", b"one"), ("c", b"two"), ("d", b"")):
        (tmp_path / name).write_bytes(content)
        prints.append(model_fingerprint(tmp_path / name))
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3
    assert {len(text) for text in prints} == {40}
