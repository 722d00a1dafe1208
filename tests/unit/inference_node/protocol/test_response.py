"""The answer to an infer request, JSON and binary."""

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from inference_node.errors import InvalidRequestError
from inference_node.models.config import ClassificationConfig
from inference_node.models.session import DATATYPES, Tensor, TensorSpec
from inference_node.protocol.response import encode_infer, requested_outputs
from inference_node.protocol.signature import Signature
from tests.unit.inference_node.protocol.bodies import request_with, signature_with
from tests.unit.inference_node.protocol.memory import FakeMemory

X = TensorSpec("x", "FP32", (-1,))


def answer(signature: Signature, tensors: Mapping[str, Tensor], **more: Any) -> tuple[Any, bytes]:
    """Return the JSON of the answer to a request with `more`, and the bytes behind it."""
    request = request_with(**more)
    wanted = requested_outputs(request, signature)
    parts, length = encode_infer(request, signature, wanted, tensors)
    body = b"".join(parts)
    if length is None:
        return json.loads(body), b""
    return json.loads(body[:length]), body[length:]


def shared_output(name: str, region: str, size: int, **more: Any) -> dict[str, Any]:
    about = {"shared_memory_region": region, "shared_memory_byte_size": size}
    return {"name": name, "parameters": about | more}


def with_outputs(*outputs: TensorSpec, **more: Any) -> Signature:
    return signature_with(X, outputs=list(outputs), **more)


@pytest.mark.parametrize("datatype", [name for name, _ in DATATYPES.values()])
def test_every_datatype_leaves_in_json_and_in_binary(datatype: str) -> None:
    signature = with_outputs(TensorSpec("y", datatype, (-1, 2)))
    tensor = np.array([["0", "1"]], np.object_)
    if datatype != "BYTES":
        tensor = np.array([[0, 1]], dict(DATATYPES.values())[datatype])
    about = {"name": "y", "shape": [1, 2], "datatype": datatype}
    model = {"model_name": "m", "model_version": "1"}
    content, data = answer(signature, {"y": tensor})
    assert content == {**model, "outputs": [{**about, "data": tensor.ravel().tolist()}]}
    assert data == b""
    content, data = answer(signature, {"y": tensor}, parameters={"binary_data_output": True})
    size = {"parameters": {"binary_data_size": len(data)}}
    assert content == {**model, "outputs": [{**about, **size}]}
    strings = struct.pack("<I1sI1s", 1, b"0", 1, b"1")
    assert data == (strings if datatype == "BYTES" else tensor.tobytes())


def test_each_output_comes_as_it_is_asked_for_and_binary_ones_in_their_order() -> None:
    signature = with_outputs(*(TensorSpec(name, "UINT8", (-1,)) for name in "abc"))
    outputs = {
        name: np.array([value, value], np.uint8) for name, value in (("a", 1), ("b", 2), ("c", 3))
    }
    asked = [
        {"name": "c", "parameters": {"binary_data": True}},
        {"name": "a", "parameters": {"binary_data": False}},
        {"name": "b", "parameters": {}},
    ]
    content, data = answer(signature, outputs, outputs=asked)
    assert [output["name"] for output in content["outputs"]] == ["c", "a", "b"]
    assert [output.get("data") for output in content["outputs"]] == [None, [1, 1], [2, 2]]
    assert data == b"\3\3"
    all_binary = {"binary_data_output": True}
    content, data = answer(signature, outputs, outputs=asked, parameters=all_binary)
    assert [output.get("data") for output in content["outputs"]] == [None, [1, 1], None]
    assert data == b"\3\3\2\2"


def test_requested_outputs_come_in_the_order_asked_for_and_all_of_them_without_a_wish() -> None:
    signature = with_outputs(*(TensorSpec(name, "FP32", (-1,)) for name in "abc"))

    def asked(**wish: Any) -> list[str]:
        wanted = requested_outputs(request_with(**wish), signature)
        return [output.name for output in wanted]

    assert asked() == ["a", "b", "c"]
    assert asked(outputs=None) == ["a", "b", "c"]
    assert asked(outputs=[]) == ["a", "b", "c"]
    assert asked(outputs=[{"name": "c"}, {"name": "a"}]) == ["c", "a"]
    with pytest.raises(InvalidRequestError, match="unknown output 'd'; accepted: a, b, c"):
        asked(outputs=[{"name": "d"}])
    with pytest.raises(InvalidRequestError, match="outputs: 'a' is given twice"):
        asked(outputs=[{"name": "a"}, {"name": "b"}, {"name": "a"}])


def test_the_id_comes_back_and_is_absent_where_none_was_given() -> None:
    signature = with_outputs(TensorSpec("y", "FP32", (-1,)))
    tensor = np.ones(1, np.float32)
    for sent in ("r-1", "", 'quotes " and \u0000 and naïve'):
        assert answer(signature, {"y": tensor}, id=sent)[0]["id"] == sent
    assert "id" not in answer(signature, {"y": tensor})[0]
    assert "id" not in answer(signature, {"y": tensor}, id=None)[0]


def test_names_of_any_kind_are_json_in_the_answer() -> None:
    name = 'n"a\\me\n'
    signature = Signature(name, name, [X], [TensorSpec(name, "FP32", (-1,))])
    content, _ = answer(signature, {name: np.ones(1, np.float32)})
    assert (content["model_name"], content["model_version"]) == (name, name)
    assert content["outputs"][0]["name"] == name


def test_values_that_json_has_no_number_for_leave_as_null_in_json_and_whole_in_binary() -> None:
    signature = with_outputs(TensorSpec("y", "FP32", (-1,)))
    tensor = np.array([np.nan, np.inf, -np.inf, 1.0], np.float32)
    content, _ = answer(signature, {"y": tensor})
    assert content["outputs"][0]["data"] == [None, None, None, 1.0]
    _, data = answer(signature, {"y": tensor}, parameters={"binary_data_output": True})
    np.testing.assert_array_equal(np.frombuffer(data, np.float32), tensor)


def test_an_output_that_is_not_contiguous_leaves_in_row_major_order() -> None:
    signature = with_outputs(TensorSpec("y", "UINT8", (-1, 2)))
    tensor = np.array([[1, 2], [3, 4]], np.uint8).T
    assert answer(signature, {"y": tensor})[0]["outputs"][0]["data"] == [1, 3, 2, 4]
    data = answer(signature, {"y": tensor}, parameters={"binary_data_output": True})[1]
    assert data == b"\1\3\2\4"


def test_classification_answers_the_largest_values_with_their_labels() -> None:
    signature = with_outputs(
        TensorSpec("y", "FP32", (-1, 3)),
        TensorSpec("z", "FP32", (-1, 3)),
        classification=ClassificationConfig(output="y", labels=("cat", "dog", "cow")),
    )
    tensor = np.array([[0.25, 0.5, 0.125]], np.float32)
    outputs = {"y": tensor, "z": tensor}
    asked: list[dict[str, Any]] = [
        {"name": name, "parameters": {"classification": 2}} for name in "yz"
    ]
    content, _ = answer(signature, outputs, outputs=asked)
    about = {"shape": [1, 2], "datatype": "BYTES"}
    assert content["outputs"] == [
        {"name": "y", **about, "data": ["0.500000:1:dog", "0.250000:0:cat"]},
        {"name": "z", **about, "data": ["0.500000:1", "0.250000:0"]},
    ]
    asked[0]["parameters"] = {"classification": 1, "binary_data": True}
    content, data = answer(signature, outputs, outputs=asked[:1])
    assert content["outputs"][0]["parameters"] == {"binary_data_size": len(data)}
    assert data == b"\x0e\0\0\0" + b"0.500000:1:dog"


def test_classification_of_what_holds_no_numbers_is_refused() -> None:
    signature = with_outputs(TensorSpec("y", "BYTES", (-1, 3)))
    request = request_with(outputs=[{"name": "y", "parameters": {"classification": 1}}])
    with pytest.raises(InvalidRequestError, match="datatype BYTES; classification needs numbers"):
        requested_outputs(request, signature)


@pytest.mark.parametrize("count", [-1, 1.5, "1", True])
def test_a_number_of_classes_that_is_none_is_refused(count: Any) -> None:
    with pytest.raises(InvalidRequestError, match="classification"):
        request_with(outputs=[{"name": "y", "parameters": {"classification": count}}])


def test_outputs_in_shared_memory_leave_their_place_in_the_answer_and_no_bytes() -> None:
    signature = with_outputs(*(TensorSpec(name, "INT16", (-1,)) for name in "abc"))
    outputs = {name: np.array([value], np.int16) for name, value in (("a", 1), ("b", 2), ("c", 3))}
    asked = [
        shared_output("a", 'r"1', 6, shared_memory_offset=4),
        {"name": "b", "parameters": {"binary_data": True}},
        shared_output("c", "r2", 2, binary_data=False),
    ]
    request = request_with(outputs=asked)
    wanted = requested_outputs(request, signature)
    memory = FakeMemory(**{'r"1': bytes(8), "r2": bytes(2)})
    parts, length = encode_infer(request, signature, wanted, outputs, memory)
    body = b"".join(parts)
    content = json.loads(body[:length])
    assert [output.get("parameters") for output in content["outputs"]] == [
        {
            "shared_memory_region": 'r"1',
            "shared_memory_offset": 4,
            "shared_memory_byte_size": 2,
        },
        {"binary_data_size": 2},
        {"shared_memory_region": "r2", "shared_memory_offset": 0, "shared_memory_byte_size": 2},
    ]
    assert not any("data" in output for output in content["outputs"])
    assert body[length:] == b"\2\0"
    assert memory.regions == {'r"1': b"\0\0\0\0\1\0\0\0", "r2": b"\3\0"}


def test_an_answer_that_lies_in_shared_memory_as_a_whole_is_json() -> None:
    signature = with_outputs(TensorSpec("y", "BYTES", (-1,)))
    request = request_with(outputs=[shared_output("y", "r", 50)])
    wanted = requested_outputs(request, signature)
    memory = FakeMemory(r=bytes(10))
    tensors = {"y": np.array(["é"], np.object_)}
    parts, length = encode_infer(request, signature, wanted, tensors, memory)
    assert length is None
    [output] = json.loads(b"".join(parts))["outputs"]
    assert output["parameters"]["shared_memory_byte_size"] == 6
    assert memory.regions["r"] == b"\2\0\0\0\xc3\xa9" + bytes(4)


@pytest.mark.parametrize(
    ("about", "complaint"),
    [
        ({"shared_memory_byte_size": 4}, "output 'y' lies in shared memory, but lacks"),
        ({"shared_memory_region": "r"}, "output 'y' lies in shared memory, but lacks"),
        (
            {"shared_memory_region": "r", "shared_memory_byte_size": 4, "classification": 1},
            "output 'y' has classification and shared_memory_region",
        ),
    ],
)
def test_a_place_that_is_none_is_refused(about: dict[str, Any], complaint: str) -> None:
    signature = with_outputs(TensorSpec("y", "FP32", (-1,)))
    with pytest.raises(InvalidRequestError, match=complaint):
        requested_outputs(request_with(outputs=[{"name": "y", "parameters": about}]), signature)
