"""Tensors, JSON and binary: what is accepted, and what is said about everything else."""

import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.errors import InvalidRequestError
from inference_node.models.session import DATATYPES, Tensor, TensorSpec
from inference_node.protocol.inputs import input_tensors
from inference_node.protocol.request import decode_infer
from inference_node.protocol.tensor_data import binary_data
from tests.unit.inference_node.protocol.bodies import (
    binary_input,
    binary_tensor_of,
    body_of,
    json_input,
    shared_input,
    signature_with,
)
from tests.unit.inference_node.protocol.memory import FakeMemory


def tensor_of(datatype: str, shape: list[int], data: object, spec: tuple[int, ...]) -> Tensor:
    signature = signature_with(TensorSpec("x", datatype, spec))
    raw = data if isinstance(data, str) else json.dumps(data)
    body = f'{{"inputs":[{{"name":"x","shape":{shape},"datatype":"{datatype}","data":{raw}}}]}}'
    return input_tensors(decode_infer(body.encode()), signature)["x"]


def refusal(datatype: str, shape: list[int], data: object, spec: tuple[int, ...] = (-1, 2)) -> str:
    with pytest.raises(InvalidRequestError) as refused:
        tensor_of(datatype, shape, data, spec)
    return str(refused.value)


def binary_refusal(datatype: str, shape: list[int], data: bytes) -> str:
    with pytest.raises(InvalidRequestError) as refused:
        binary_tensor_of(datatype, shape, data, (-1, 2))
    return str(refused.value)


EXTREMES: list[tuple[str, list[Any]]] = [
    ("BOOL", [True, False]),
    ("UINT8", [0, 2**8 - 1]),
    ("UINT16", [0, 2**16 - 1]),
    ("UINT32", [0, 2**32 - 1]),
    ("UINT64", [0, 2**64 - 1]),
    ("INT8", [-(2**7), 2**7 - 1]),
    ("INT16", [-(2**15), 2**15 - 1]),
    ("INT32", [-(2**31), 2**31 - 1]),
    ("INT64", [-(2**63), 2**63 - 1]),
    ("FP16", [-65504.0, 65504.0]),
    ("FP32", [float(np.finfo(np.float32).min), float(np.finfo(np.float32).max)]),
    ("FP64", [-1.7976931348623157e308, 5e-324]),
    ("BYTES", ["", "naïve \u0000 end\u0000"]),
]


def test_the_extremes_below_cover_every_datatype() -> None:
    assert {datatype for datatype, _ in EXTREMES} == {name for name, _ in DATATYPES.values()}


@pytest.mark.parametrize(("datatype", "values"), EXTREMES)
def test_every_datatype_takes_its_extremes_flat_and_nested(
    datatype: str, values: list[Any]
) -> None:
    expected = np.dtype(dict(DATATYPES.values())[datatype])
    for data in (values, [values]):
        tensor = tensor_of(datatype, [1, 2], data, (-1, 2))
        assert tensor.dtype == expected
        assert tensor.tolist() == [values]


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4).flatmap(
        lambda shape: st.tuples(
            st.just(shape),
            st.lists(
                st.floats(width=32, allow_nan=False, allow_infinity=False),
                min_size=math.prod(shape),
                max_size=math.prod(shape),
            ),
        )
    )
)
def test_flat_and_nested_data_are_the_same_tensor(drawn: tuple[list[int], list[float]]) -> None:
    shape, values = drawn
    expected = np.array(values, np.float32).reshape(shape)
    spec = (-1,) * len(shape)
    for data in (values, expected.tolist()):
        np.testing.assert_array_equal(tensor_of("FP32", shape, data, spec), expected)


def test_integers_are_numbers_for_a_float_tensor() -> None:
    assert tensor_of("FP32", [1, 2], [1, 2.5], (-1, 2)).tolist() == [[1.0, 2.5]]
    assert tensor_of("FP64", [1, 1], [10**30], (-1, 1)).tolist() == [[1e30]]


def test_spaces_and_newlines_between_brackets_are_no_matter() -> None:
    assert tensor_of("INT8", [2, 1], "[ \n\t[ 1 ],\r\n [2 ] ]", (-1, 1)).tolist() == [[1], [2]]


@pytest.mark.parametrize(
    ("datatype", "data", "complaint"),
    [
        ("INT32", [1, 1.5], "Expected `int`, got `float` - at `$[1]`"),
        ("INT32", [1, True], "Expected `int`, got `bool`"),
        ("INT32", [1, "2"], "Expected `int`, got `str`"),
        ("FP32", [1.0, False], "Expected `float`, got `bool`"),
        ("FP32", [1.0, None], "Expected `float`, got `null`"),
        ("FP32", ["1.0", 2], "Expected `float`, got `str`"),
        ("FP32", "[NaN, 1]", "the body is no infer request"),
        ("FP32", "[Infinity, 1]", "the body is no infer request"),
        ("FP32", "[1e400, 1]", "Number out of range"),
        ("FP32", "[-1e39, 1]", "a value outside FP32"),
        ("FP16", [65520, 1], "a value outside FP16"),
        ("FP64", f"[1{'0' * 400}, 1]", "Number out of range"),
        ("BOOL", [1, 0], "Expected `bool`, got `int`"),
        ("UINT8", [256, 1], "a value outside UINT8"),
        ("UINT8", [-1, 1], "a value outside UINT8"),
        ("UINT64", [2**64, 1], "a value outside UINT64"),
        ("INT64", [10**30, 1], "a value outside INT64"),
        ("INT64", f"[1{'0' * 5000}, 1]", "Integer value out of range"),
        ("BYTES", ["a", 1], "Expected `str`, got `int`"),
        ("BYTES", [["a"], ["b"], ["c"]], "data of shape [3, 1]; its shape says [1, 2]"),
        ("BYTES", [["a", "b"], ["c"]], "its shape says [1, 2]"),
        ("FP32", [1.0], "holds 1 values; its shape [1, 2] needs 2"),
        ("FP32", [1.0, 2.0, 3.0], "holds 3 values; its shape [1, 2] needs 2"),
        ("FP32", [], "holds 0 values; its shape [1, 2] needs 2"),
        ("FP32", [[1.0, 2.0], [3.0]], "ragged"),
        ("FP32", [[1.0], [2.0]], "data of shape [2, 1]; its shape says [1, 2]"),
        ("FP32", [[[1.0, 2.0]]], "Expected `float`, got `array`"),
        ("FP32", [1.0, [2.0]], "Expected `float`, got `array`"),
        ("FP32", {"a": 1}, "Expected `array`, got `object`"),
        ("FP32", "null", "Expected `array`, got `null`"),
        ("FP32", "7", "Expected `array`, got `int`"),
    ],
)
def test_data_that_do_not_fit_are_refused_with_the_input_and_the_reason(
    datatype: str, data: object, complaint: str
) -> None:
    message = refusal(datatype, [1, 2], data)
    assert complaint in message
    assert "input 'x'" in message or "no infer request" in message


@pytest.mark.parametrize(
    "shape",
    [[2], [1, 2, 1], [], [1, 3], [-1, 2], [0, 2], [1, -2], [10**30, 2], [-(10**30), 2], [1, 0]],
)
def test_a_shape_that_is_not_the_models_is_refused_with_the_one_that_is(shape: list[int]) -> None:
    message = refusal("FP32", shape, [1.0, 2.0])
    if shape == [10**30, 2]:
        assert "holds 2 values" in message
    else:
        assert f"has shape {shape}; accepted: [-1, 2]" in message


def test_empty_tensors_of_any_size_are_refused_even_where_the_model_takes_any_length() -> None:
    for shape in ([0, 4], [4, 0], [10**30, 0], [2**62, 2**62, 0][1:]):
        assert "accepted: [-1, -1] (-1: at least 1)" in refusal("FP32", shape, [], (-1, -1))


@pytest.mark.parametrize("datatype", ["FP64", "fp32", "", "INT32", "STRING"])
def test_another_datatype_than_the_models_is_refused_with_the_one_that_is(datatype: str) -> None:
    signature = signature_with(TensorSpec("x", "FP32", (-1, 2)))
    body = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": datatype, "data": [1, 2]}]}
    with pytest.raises(InvalidRequestError, match=f"has datatype '{datatype}'; accepted: FP32"):
        input_tensors(decode_infer(json.dumps(body).encode()), signature)


def inputs_named(*names: str) -> bytes:
    given = [{"name": n, "shape": [1], "datatype": "FP32", "data": [1]} for n in names]
    return json.dumps({"inputs": given}).encode()


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ((), "input 'a' is missing; required: a, b"),
        (("a",), "input 'b' is missing; required: a, b"),
        (("a", "b", "c"), "unknown input 'c'; accepted: a, b"),
        (("a", "A"), "unknown input 'A'; accepted: a, b"),
        (("a", "b", "a"), "inputs: a name is given twice"),
    ],
)
def test_missing_unknown_and_repeated_inputs_are_named(
    names: tuple[str, ...], complaint: str
) -> None:
    signature = signature_with(TensorSpec("a", "FP32", (-1,)), TensorSpec("b", "FP32", (-1,)))
    with pytest.raises(InvalidRequestError) as refused:
        input_tensors(decode_infer(inputs_named(*names)), signature)
    assert str(refused.value) == complaint


def test_inputs_come_in_the_order_of_the_model_whatever_the_order_of_the_request() -> None:
    signature = signature_with(TensorSpec("a", "FP32", (-1,)), TensorSpec("b", "FP32", (-1,)))
    assert list(input_tensors(decode_infer(inputs_named("b", "a")), signature)) == ["a", "b"]


def test_inputs_that_disagree_on_the_number_of_items_are_refused() -> None:
    signature = signature_with(TensorSpec("a", "FP32", (-1,)), TensorSpec("b", "FP32", (-1,)))
    given = [
        {"name": "a", "shape": [2], "datatype": "FP32", "data": [1, 2]},
        {"name": "b", "shape": [3], "datatype": "FP32", "data": [1, 2, 3]},
    ]
    body = json.dumps({"inputs": given}).encode()
    with pytest.raises(InvalidRequestError, match=r"inputs hold \[2, 3\] items"):
        input_tensors(decode_infer(body), signature)


def test_invalid_utf8_in_the_strings_of_a_tensor_is_refused() -> None:
    signature = signature_with(TensorSpec("x", "BYTES", (-1,)))
    for text in (b"\xff", b"\\ud800"):
        body = b'{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["%b"]}]}' % text
        with pytest.raises(InvalidRequestError):
            input_tensors(decode_infer(body), signature)


def test_one_long_string_among_many_short_ones_costs_no_more_memory_than_it_takes() -> None:
    # A table of fixed-width strings would need 400 GB for these 100,000.
    strings = ["x" * 1_000_000] + [""] * 99_999
    tensor = tensor_of("BYTES", [100_000], strings, (-1,))
    assert tensor.shape == (100_000,)
    assert "Expected `float`, got `str`" in refusal("FP32", [100_000], strings, (-1,))


@pytest.mark.parametrize(("datatype", "values"), EXTREMES)
def test_every_datatype_takes_its_extremes_binary_and_gives_them_back(
    datatype: str, values: list[Any]
) -> None:
    expected = np.array([values], dict(DATATYPES.values())[datatype])
    data = binary_data(expected)
    tensor = binary_tensor_of(datatype, [1, 2], data, (-1, 2))
    assert tensor.dtype == expected.dtype
    assert tensor.tolist() == expected.tolist()
    assert binary_data(tensor) == data


def test_binary_numbers_are_little_endian_and_strings_carry_their_length() -> None:
    assert binary_tensor_of("INT32", [1, 2], bytes([1, 0, 0, 0, 0, 1, 0, 0]), (-1, 2)).tolist() == [
        [1, 256]
    ]
    assert binary_data(np.array([["ä", ""]], np.object_)) == b"\2\0\0\0\xc3\xa4\0\0\0\0"


def test_binary_numbers_may_be_nan_and_infinite() -> None:
    data = np.array([[np.nan, -np.inf]], np.float32).tobytes()
    tensor = binary_tensor_of("FP32", [1, 2], data, (-1, 2))
    np.testing.assert_array_equal(tensor, [[np.nan, -np.inf]])


@given(st.integers(0, 8), st.sampled_from(["FP64", "FP32", "FP16", "INT64", "UINT8", "BOOL"]))
def test_binary_tensors_are_aligned_and_views_of_the_body_where_they_can_be(
    shift: int, datatype: str
) -> None:
    given_input = binary_input("x", datatype, [1, 2], 0)
    dtype = np.dtype(dict(DATATYPES.values())[datatype])
    given_input["parameters"]["binary_data_size"] = 2 * dtype.itemsize
    data = np.array([[0, 1]], dtype).tobytes()
    body, length = body_of([given_input], data, id="x" * shift)
    signature = signature_with(TensorSpec("x", datatype, (-1, 2)))
    tensor = input_tensors(decode_infer(body, length), signature)["x"]
    assert tensor.tolist() == [[0, 1]]
    assert tensor.flags.aligned
    first = np.frombuffer(body, np.uint8).ctypes.data
    if (first + length) % dtype.itemsize == 0:
        assert tensor.ctypes.data == first + length
        assert not tensor.flags.writeable


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "complaint"),
    [
        ("FP32", [1, 2], bytes(7), "binary_data_size 7; its shape [1, 2] needs 8 bytes of FP32"),
        ("FP32", [1, 2], bytes(12), "binary_data_size 12; its shape [1, 2] needs 8 bytes of FP32"),
        ("FP32", [1, 2], b"", "binary_data_size 0; its shape [1, 2] needs 8"),
        ("FP32", [2**62, 2], bytes(8), f"needs {2**65} bytes of FP32"),
        ("FP32", [0, 2], b"", "has shape [0, 2]; accepted: [-1, 2] (-1: at least 1)"),
        ("FP32", [-1, 2], bytes(8), "has shape [-1, 2]; accepted"),
        ("BOOL", [1, 2], b"\1\2", "holds a byte that is no BOOL, 0 or 1"),
        ("BYTES", [2**62, 2], b"\0\0\0\0" * 2, f"needs at least {2**65} bytes of BYTES"),
        ("BYTES", [1, 2], b"\0\0\0\0\0\0\0", "needs at least 8 bytes of BYTES"),
        ("BYTES", [1, 2], b"\1\0\0\0a\0\0\0", "element 1 goes beyond the binary_data_size of 8"),
        (
            "BYTES",
            [1, 2],
            b"\xff\xff\xff\xffaaaa",
            "element 0 goes beyond the binary_data_size of 8",
        ),
        ("BYTES", [1, 2], b"\0\0\0\0" * 3, "its 2 elements take 8 bytes"),
        ("BYTES", [1, 2], b"\1\0\0\0\xff\0\0\0\0", "element 0 is no UTF-8 text"),
    ],
)
def test_binary_data_that_do_not_fit_are_refused_with_the_input_and_the_reason(
    datatype: str, shape: list[int], data: bytes, complaint: str
) -> None:
    message = binary_refusal(datatype, shape, data)
    assert complaint in message
    assert message.startswith("input 'x'")


@given(st.binary(max_size=40), st.integers(1, 4))
def test_torn_strings_are_read_or_refused_and_nothing_else(data: bytes, items: int) -> None:
    try:
        tensor = binary_tensor_of("BYTES", [items, 1], data, (-1, 1))
    except InvalidRequestError:
        return
    assert binary_data(tensor) == data
    assert tensor.shape == (items, 1)


@given(st.lists(st.text(max_size=5), min_size=1, max_size=5))
def test_strings_survive_the_way_in_and_out(texts: list[str]) -> None:
    data = b"".join(struct.pack("<I", len(t.encode())) + t.encode() for t in texts)
    tensor = binary_tensor_of("BYTES", [len(texts)], data, (-1,))
    assert tensor.tolist() == texts
    assert binary_data(tensor) == data


def test_a_type_that_numpy_has_not_is_refused() -> None:
    body, length = body_of([binary_input("x", "BF16", [1, 2], 4)], bytes(4))
    signature = signature_with(TensorSpec("x", "FP16", (-1, 2)))
    with pytest.raises(InvalidRequestError, match="has datatype 'BF16'; accepted: FP16"):
        input_tensors(decode_infer(body, length), signature)


def test_an_input_without_data_is_refused() -> None:
    tensor = json_input("x", "FP32", [1], [])
    del tensor["data"]
    with pytest.raises(InvalidRequestError, match="'x' has neither data nor binary_data_size"):
        input_tensors(
            decode_infer(body_of([tensor])[0]), signature_with(TensorSpec("x", "FP32", (-1,)))
        )


def test_an_input_in_json_and_one_in_binary_go_together() -> None:
    signature = signature_with(TensorSpec("a", "FP32", (-1,)), TensorSpec("b", "INT8", (-1,)))
    inputs = [binary_input("b", "INT8", [2], 2), json_input("a", "FP32", [2], [0.5, 1])]
    body, length = body_of(inputs, b"\1\xff")
    tensors = input_tensors(decode_infer(body, length), signature)
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {
        "a": [0.5, 1.0],
        "b": [1, -1],
    }
    assert list(tensors) == ["a", "b"]


@pytest.mark.parametrize("datatype", [name for name, _ in DATATYPES.values()])
def test_a_tensor_in_shared_memory_is_the_one_that_it_is_in_a_body(datatype: str) -> None:
    data = struct.pack("<I1sI1s", 1, b"a", 1, b"b")
    if datatype != "BYTES":
        data = np.array([0, 1], dict(DATATYPES.values())[datatype]).tobytes()
    spec = TensorSpec("x", datatype, (-1, 2))
    expected = binary_tensor_of(datatype, [1, 2], data, spec.shape)
    memory = FakeMemory(r=b"..." + data + b"...")
    body, _ = body_of([shared_input("x", datatype, [1, 2], "r", len(data), offset=3)])
    tensor = input_tensors(decode_infer(body), signature_with(spec), memory)["x"]
    assert tensor.dtype == expected.dtype
    assert tensor.tolist() == expected.tolist()
    memory.regions["r"][3:] = bytes(len(data) + 3)  # what a client does later is not seen
    assert tensor.tolist() == expected.tolist()


def test_bytes_in_shared_memory_that_do_not_fit_are_refused_by_the_name_of_their_parameter() -> (
    None
):
    signature = signature_with(TensorSpec("x", "FP32", (-1, 2)))
    for size, region, complaint in (
        (7, "r", "'x' has shared_memory_byte_size 7; its shape"),
        (8, "nothing", "nothing is not registered"),
    ):
        body, _ = body_of([shared_input("x", "FP32", [1, 2], region, size)])
        with pytest.raises(InvalidRequestError, match=complaint):
            input_tensors(decode_infer(body), signature, FakeMemory(r=bytes(20)))


def test_shared_memory_is_read_only_for_what_the_model_takes() -> None:
    memory = FakeMemory(r=bytes(8))
    signature = signature_with(TensorSpec("x", "FP32", (-1, 2)))
    wrong = [
        shared_input("z", "FP32", [1, 2], "r", 8),
        shared_input("x", "INT8", [1, 2], "r", 8),
        shared_input("x", "FP32", [1, 3], "r", 8),
    ]
    for tensor in wrong:
        with pytest.raises(InvalidRequestError):
            input_tensors(decode_infer(body_of([tensor])[0]), signature, memory)
    assert memory.required == []


def test_a_model_made_for_one_item_takes_one() -> None:
    assert tensor_of("FP32", [1, 2], [1, 2], (1, 2)).shape == (1, 2)
    assert "accepted: [1, 2]" in refusal("FP32", [2, 2], [1, 2, 3, 4], (1, 2))
