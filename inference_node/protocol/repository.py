"""Triton's model repository extension: list, load and unload models.

triton-inference-server/server, docs/protocol/extension_model_repository.md. A model is loaded as it
is in the node's folder: a load request cannot bring another one.
"""

from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from inference_node.errors import InvalidRequestError

State = Literal["READY", "LOADING", "UNLOADING", "UNAVAILABLE"]


class IndexRequest(Struct, frozen=True):
    """`ready`: list only what can be asked now."""

    ready: bool = False


class ControlRequest(Struct, frozen=True):
    """The body of a load or unload request. Unknown parameters are ignored."""

    parameters: dict[str, bool | int | float | str] | None = None


class IndexEntry(Struct, frozen=True):
    """One version of a model; `reason` says why it is not ready."""

    name: str
    version: str
    state: State
    reason: str = ""


Body = TypeVar("Body", IndexRequest, ControlRequest)


def decode_index_request(body: bytes) -> bool:
    """Return whether only ready models are asked for. Raises InvalidRequestError."""
    return _decoded(body, IndexRequest).ready


def decode_control_request(body: bytes) -> None:
    """Check the body of a load or unload request; it has nothing to say.

    Raises InvalidRequestError where it is none, or brings a configuration or files.
    """
    for name in _decoded(body, ControlRequest).parameters or ():
        if name == "config" or name.startswith("file:"):
            raise InvalidRequestError(
                f"parameter {name[:200]!r} is not supported; models are loaded as they are in the "
                "node's repository"
            )


def encode_index(entries: Sequence[IndexEntry]) -> bytes:
    """Return the answer to an index request."""
    return msgspec.json.encode(entries)


def _decoded(body: bytes, kind: type[Body]) -> Body:
    if not body:
        return kind()
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(f"the body does not fit: {error}") from error
