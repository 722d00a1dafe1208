"""The envelope of an infer request: JSON, binary data behind it, parameters."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.errors import InvalidRequestError
from inference_node.protocol.request import decode_header_length, decode_infer
from inference_node.protocol.shared_memory import Place
from tests.unit.inference_node.protocol.bodies import (
    binary_input,
    body_of,
    json_input,
    request_with,
    shared_input,
)


def refusal(body: bytes, header_length: int | None = None) -> str:
    with pytest.raises(InvalidRequestError) as refused:
        decode_infer(body, header_length)
    return str(refused.value)


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
        b'{"inputs": [], "parameters": []}',
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
    for header_length in (None, len(body)):
        assert "the body is no infer request" in refusal(body, header_length)


def test_unknown_parameters_and_nulls_are_ignored() -> None:
    body = (
        b'{"parameters": {"a": [1], "headers": {}}, "id": null, "outputs": null, "inputs": ['
        b'{"name": "x", "shape": [1], "datatype": "FP32", "parameters": {"b": null}, "data": [1]},'
        b'{"name": "y", "shape": [1], "datatype": "FP32", "parameters": null, "data": [1]}]}'
    )
    request = decode_infer(body)
    assert [tensor.name for tensor in request.inputs] == ["x", "y"]
    assert request.outputs == []
    assert (request.id, request.priority, request.timeout_us) == (None, 0, 0)
    assert not request.binary_data_output


def test_priority_and_timeout_are_read() -> None:
    request = request_with(id="r", parameters={"priority": 3, "timeout": 250_000})
    assert (request.id, request.priority, request.timeout_us) == ("r", 3, 250_000)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"priority": "1"}, "Expected `int`, got `str` - at `$.parameters.priority`"),
        ({"priority": -1}, "Expected `int` >= 0 - at `$.parameters.priority`"),
        ({"priority": 2**64}, "`$.parameters.priority`"),
        ({"timeout": 1.5}, "Expected `int`, got `float` - at `$.parameters.timeout`"),
        ({"timeout": True}, "Expected `int`, got `bool` - at `$.parameters.timeout`"),
        ({"timeout": -1}, "Expected `int` >= 0 - at `$.parameters.timeout`"),
        ({"binary_data_output": 1}, "Expected `bool`, got `int`"),
    ],
)
def test_parameters_of_a_wrong_type_are_named(parameters: dict[str, Any], complaint: str) -> None:
    assert complaint in refusal(json.dumps({"inputs": [], "parameters": parameters}).encode())


@pytest.mark.parametrize("name", [0, "", 7, "a"])
def test_a_sequence_means_nothing_to_models_that_keep_no_state(name: int | str) -> None:
    parameters = {"sequence_id": name, "sequence_start": True, "sequence_end": False}
    assert request_with(parameters=parameters).inputs == []


def test_inputs_in_shared_memory_have_a_place_and_take_no_bytes_of_the_body() -> None:
    inputs = [
        binary_input("a", "UINT8", [3], 3),
        shared_input("b", "UINT8", [4], "r", 4),
        shared_input("c", "UINT8", [4], "r", 4, offset=8),
        binary_input("d", "UINT8", [2], 2),
    ]
    body, length = body_of(inputs, b"aaadd")
    request = decode_infer(body, length)
    assert request.offsets == [length, length + 3, length + 3, length + 3]
    assert request.places == {"b": Place("r", 0, 4), "c": Place("r", 8, 4)}


@pytest.mark.parametrize(
    ("about", "complaint"),
    [
        ({"shared_memory_region": "r"}, "lacks parameter shared_memory_byte_size"),
        ({"shared_memory_byte_size": 4}, "lacks parameter shared_memory_region"),
        ({"shared_memory_region": 1}, "Expected `str"),
        ({"shared_memory_region": "r", "shared_memory_byte_size": -1}, "Expected `int` >= 0"),
        (
            {"shared_memory_region": "r", "shared_memory_byte_size": 2**63},
            "Expected `int` <= 9",
        ),
        (
            {"shared_memory_region": "r", "shared_memory_byte_size": 4, "binary_data_size": 4},
            "input 'x' has binary_data_size and shared_memory_region; accepted: one of them",
        ),
    ],
)
def test_a_place_in_shared_memory_that_is_none_is_refused(
    about: dict[str, Any], complaint: str
) -> None:
    tensor = {"name": "x", "shape": [1], "datatype": "FP32", "parameters": about}
    message = refusal(body_of([tensor])[0])
    assert complaint in message
    assert "shared_memory" in message


def test_data_both_in_json_and_in_shared_memory_are_refused() -> None:
    both = shared_input("x", "UINT8", [1], "r", 1) | {"data": [1]}
    assert refusal(body_of([both])[0]) == (
        "input 'x' has data and shared_memory_region; accepted: one of them"
    )


def test_binary_data_belong_to_the_inputs_in_their_order() -> None:
    inputs = [
        binary_input("a", "UINT8", [3], 3),
        json_input("b", "UINT8", [1], [7]),
        binary_input("c", "UINT8", [2], 2),
    ]
    body, length = body_of(inputs, b"aaacc")
    request = decode_infer(body, length)
    assert request.offsets == [length, length + 3, length + 3]
    assert request.body is body


@given(
    st.lists(st.integers(0, 6), max_size=4),
    st.integers(0, 30),
    st.booleans(),
)
def test_the_sizes_add_up_to_the_rest_of_the_body_or_the_request_is_refused(
    sizes: list[int], following: int, told: bool
) -> None:
    inputs = [binary_input(str(place), "UINT8", [size], size) for place, size in enumerate(sizes)]
    body, length = body_of(inputs, bytes(following))
    if told and sum(sizes) == following:
        assert decode_infer(body, length).offsets == [
            length + sum(sizes[:place]) for place in range(len(sizes))
        ]
    elif told:
        assert f"{following} bytes follow the JSON of {length} bytes" in refusal(body, length)
        assert f"add up to {sum(sizes)}" in refusal(body, length)
    elif following == 0 and any(sizes):
        assert "header Inference-Header-Content-Length" in refusal(body)


@pytest.mark.parametrize("size", [-1, 1.5, "4", True, 2**63])
def test_a_size_that_is_no_number_of_bytes_is_refused(size: Any) -> None:
    body, length = body_of([binary_input("x", "UINT8", [4], size)], b"1234")
    assert "binary_data_size" in refusal(body, length)


def test_a_size_beyond_any_body_is_refused_without_taking_memory() -> None:
    body, length = body_of([binary_input("x", "UINT8", [2**62], 2**62)], b"1234")
    assert f"binary_data_size add up to {2**62}" in refusal(body, length)


def test_data_both_in_json_and_binary_are_refused() -> None:
    both = binary_input("x", "UINT8", [1], 1) | {"data": [1]}
    body, length = body_of([both], b"1")
    assert refusal(body, length) == (
        "input 'x' has data and binary_data_size; accepted: one of them"
    )


def test_a_json_longer_than_the_body_or_cut_in_the_middle_is_refused() -> None:
    body, length = body_of([])
    assert "accepted: at most the body's" in refusal(body, length + 1)
    assert "no infer request" in refusal(body, length - 1)
    assert "no infer request" in refusal(body, 0)
    assert "0 bytes" not in refusal(body + b"x", length)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_a_body(kind: Any) -> None:
    body, length = body_of([binary_input("x", "UINT8", [1], 1)], b"1")
    assert decode_infer(kind(body), length).offsets == [length]


def test_a_header_length_is_a_plain_number() -> None:
    assert decode_header_length(" 17 ") == 17
    for value in ("", "-1", "1.0", "0x1", "1e3", "١", "²", "1" * 5000, "12,13"):  # noqa: RUF001
        with pytest.raises(InvalidRequestError, match="accepted: a number of bytes"):
            decode_header_length(value)
