"""JSON tensors: what is accepted, what comes out, and what is said about everything else."""

import json
import math
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.errors import InvalidRequestError
from inference_node.http.messages import json_response
from inference_node.models.repository import Model, ModelConfig
from inference_node.models.session import DATATYPES, Session, Tensor, TensorSpec
from inference_node.protocol.infer import (
    decode_request,
    infer_response,
    input_tensors,
    model_metadata,
    requested_outputs,
)


class Specs:
    """The part of a session that the protocol looks at."""

    def __init__(self, inputs: list[TensorSpec], outputs: list[TensorSpec]) -> None:
        self.inputs = inputs
        self.outputs = outputs


def model_with(*inputs: TensorSpec, outputs: list[TensorSpec] | None = None) -> Model:
    session = Specs(list(inputs), outputs or [TensorSpec("y", "FP32", (-1,))])
    return Model("m", "1", ModelConfig(variant="fp32"), cast(Session, session))


def tensor_of(datatype: str, shape: list[int], data: object, spec: tuple[int, ...]) -> Tensor:
    model = model_with(TensorSpec("x", datatype, spec))
    raw = data if isinstance(data, str) else json.dumps(data)
    body = f'{{"inputs":[{{"name":"x","shape":{shape},"datatype":"{datatype}","data":{raw}}}]}}'
    return input_tensors(decode_request(body.encode()), model)["x"]


def refusal(datatype: str, shape: list[int], data: object, spec: tuple[int, ...] = (-1, 2)) -> str:
    with pytest.raises(InvalidRequestError) as refused:
        tensor_of(datatype, shape, data, spec)
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


@pytest.mark.parametrize(("datatype", "values"), EXTREMES)
def test_every_datatype_survives_the_way_out_and_in(datatype: str, values: list[Any]) -> None:
    spec = TensorSpec("y", datatype, (-1, 2))
    model = model_with(TensorSpec("x", datatype, (-1, 2)), outputs=[spec])
    tensor = tensor_of(datatype, [1, 2], values, (-1, 2))
    request = decode_request(b'{"inputs":[]}')
    answer = json.loads(json_response(infer_response(request, model, {"y": tensor}, [spec])).body)
    assert answer == {
        "model_name": "m",
        "model_version": "1",
        "outputs": [{"name": "y", "shape": [1, 2], "datatype": datatype, "data": values}],
    }


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
    model = model_with(TensorSpec("x", "FP32", (-1, 2)))
    body = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": datatype, "data": [1, 2]}]}
    with pytest.raises(InvalidRequestError, match=f"has datatype '{datatype}'; accepted: FP32"):
        input_tensors(decode_request(json.dumps(body).encode()), model)


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
    model = model_with(TensorSpec("a", "FP32", (-1,)), TensorSpec("b", "FP32", (-1,)))
    with pytest.raises(InvalidRequestError) as refused:
        input_tensors(decode_request(inputs_named(*names)), model)
    assert str(refused.value) == complaint


def test_inputs_come_in_the_order_of_the_model_whatever_the_order_of_the_request() -> None:
    model = model_with(TensorSpec("a", "FP32", (-1,)), TensorSpec("b", "FP32", (-1,)))
    assert list(input_tensors(decode_request(inputs_named("b", "a")), model)) == ["a", "b"]


def test_inputs_that_disagree_on_the_number_of_items_are_refused() -> None:
    model = model_with(TensorSpec("a", "FP32", (-1,)), TensorSpec("b", "FP32", (-1,)))
    given = [
        {"name": "a", "shape": [2], "datatype": "FP32", "data": [1, 2]},
        {"name": "b", "shape": [3], "datatype": "FP32", "data": [1, 2, 3]},
    ]
    body = json.dumps({"inputs": given}).encode()
    with pytest.raises(InvalidRequestError, match=r"inputs hold \[2, 3\] items"):
        input_tensors(decode_request(body), model)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"inputs": {}}',
        b'{"inputs": [1]}',
        b'{"inputs": [{"name": "x"}]}',
        b'{"inputs": [{"name": 1, "shape": [1], "datatype": "FP32", "data": [1]}]}',
        b'{"inputs": [{"name": "x", "shape": [1.5], "datatype": "FP32", "data": [1]}]}',
        b'{"inputs": [{"name": "x", "shape": "1", "datatype": "FP32", "data": [1]}]}',
        b'{"inputs": [{"name": "x", "shape": [true], "datatype": "FP32", "data": [1]}]}',
        b'{"inputs": [], "outputs": "y"}',
        b'{"inputs": [], "id": 7}',
        b'{"inputs": []} trailing',
        b'\xff\xfe{"inputs": []}',
        b'{"inputs": [], "id": "\xff"}',
        b'{"inputs": [], "id": "\\ud800"}',
        b"[" * 200_000,
        b'{"inputs": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"inputs": [{"data": ' + b"[" * 200_000 + b"]" * 200_000 + b"}]}",
        b'{"parameters": ' + b'{"a":' * 200_000 + b"1" + b"}" * 200_000 + b', "inputs": []}',
    ],
    ids=lambda body: body[:40].decode("latin-1"),
)
def test_what_is_no_infer_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="the body is no infer request"):
        decode_request(body)


def test_invalid_utf8_in_the_strings_of_a_tensor_is_refused() -> None:
    model = model_with(TensorSpec("x", "BYTES", (-1,)))
    for text in (b"\xff", b"\\ud800"):
        body = b'{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["%b"]}]}' % text
        with pytest.raises(InvalidRequestError):
            input_tensors(decode_request(body), model)


def test_one_long_string_among_many_short_ones_costs_no_more_memory_than_it_takes() -> None:
    # A table of fixed-width strings would need 400 GB for these 100,000.
    strings = ["x" * 1_000_000] + [""] * 99_999
    tensor = tensor_of("BYTES", [100_000], strings, (-1,))
    assert tensor.shape == (100_000,)
    assert "Expected `float`, got `str`" in refusal("FP32", [100_000], strings, (-1,))


def test_parameters_and_other_extensions_are_ignored() -> None:
    model = model_with(TensorSpec("x", "FP32", (-1,)))
    body = (
        b'{"parameters": {"a": [1]}, "inputs": [{"name": "x", "shape": [1], "datatype": "FP32",'
        b' "parameters": {"b": null}, "data": [1]}], "outputs": [{"name": "y", "parameters": {}}]}'
    )
    request = decode_request(body)
    assert input_tensors(request, model)["x"].tolist() == [1.0]
    assert [spec.name for spec in requested_outputs(request, model)] == ["y"]


def test_requested_outputs_come_in_the_order_asked_for_and_all_of_them_without_a_wish() -> None:
    outputs = [TensorSpec(name, "FP32", (-1,)) for name in ("a", "b", "c")]
    model = model_with(TensorSpec("x", "FP32", (-1,)), outputs=outputs)

    def asked(wish: str) -> list[str]:
        request = decode_request(f'{{"inputs": []{wish}}}'.encode())
        return [spec.name for spec in requested_outputs(request, model)]

    assert asked("") == ["a", "b", "c"]
    assert asked(', "outputs": null') == ["a", "b", "c"]
    assert asked(', "outputs": []') == ["a", "b", "c"]
    assert asked(', "outputs": [{"name": "c"}, {"name": "a"}]') == ["c", "a"]
    with pytest.raises(InvalidRequestError, match="unknown output 'd'; accepted: a, b, c"):
        asked(', "outputs": [{"name": "d"}]')


def test_the_id_comes_back_and_is_absent_where_none_was_given() -> None:
    model = model_with(TensorSpec("x", "FP32", (-1,)))
    for sent, echoed in ((', "id": "r-1"', "r-1"), (', "id": ""', ""), ("", None)):
        request = decode_request(f'{{"inputs": []{sent}}}'.encode())
        answer = json.loads(json_response(infer_response(request, model, {}, [])).body)
        assert answer.get("id") == echoed
        assert ("id" in answer) == bool(sent)


def test_values_that_json_has_no_number_for_leave_as_null() -> None:
    spec = TensorSpec("y", "FP32", (-1,))
    model = model_with(TensorSpec("x", "FP32", (-1,)), outputs=[spec])
    tensor = np.array([np.nan, np.inf, -np.inf, 1.0], np.float32)
    answer = json_response(
        infer_response(decode_request(b'{"inputs": []}'), model, {"y": tensor}, [spec])
    )
    assert json.loads(answer.body)["outputs"][0]["data"] == [None, None, None, 1.0]


def test_metadata_lists_versions_inputs_and_outputs() -> None:
    model = model_with(TensorSpec("x", "FP32", (-1, 2)))
    assert json.loads(json_response(model_metadata(model, ["1", "2"])).body) == {
        "name": "m",
        "versions": ["1", "2"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1]}],
    }
