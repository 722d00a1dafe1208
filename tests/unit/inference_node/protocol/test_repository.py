"""Bodies of the model repository extension."""

import json

import pytest

from inference_node.errors import InvalidRequestError
from inference_node.protocol.repository import (
    IndexEntry,
    decode_control_request,
    decode_index_request,
    encode_index,
)


def test_an_index_is_of_all_models_unless_only_ready_ones_are_asked_for() -> None:
    assert not decode_index_request(b"")
    assert not decode_index_request(b"{}")
    assert not decode_index_request(b'{"ready": false, "repository_name": "x"}')
    assert decode_index_request(b'{"ready": true}')


@pytest.mark.parametrize("body", [b"null", b"[]", b"{", b"\xff", b'{"ready": 1}', b"[" * 100_000])
def test_a_body_that_is_no_index_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="the body does not fit"):
        decode_index_request(body)


def test_what_triton_clients_send_to_load_and_unload_is_accepted() -> None:
    for body in (b"", b"{}", b'{"parameters": {"unload_dependents": false}}'):
        decode_control_request(body)


@pytest.mark.parametrize("name", ["config", "file:1/model.onnx"])
def test_a_model_cannot_be_brought_with_the_request(name: str) -> None:
    body = json.dumps({"parameters": {name: "{}"}}).encode()
    with pytest.raises(InvalidRequestError, match=f"parameter '{name}' is not supported"):
        decode_control_request(body)


@pytest.mark.parametrize("body", [b"[]", b'{"parameters": 1}', b'{"parameters": {"a": []}}'])
def test_a_body_that_is_no_load_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="the body does not fit"):
        decode_control_request(body)


def test_an_index_lists_name_version_state_and_reason() -> None:
    entries = [IndexEntry("m", "1", "READY"), IndexEntry("m", "2", "UNAVAILABLE", "unloaded")]
    assert json.loads(encode_index(entries)) == [
        {"name": "m", "version": "1", "state": "READY", "reason": ""},
        {"name": "m", "version": "2", "state": "UNAVAILABLE", "reason": "unloaded"},
    ]
