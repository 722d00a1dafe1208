"""Triton's shared memory extension: tensors that lie in memory instead of in bodies.

docs/protocol/extension_shared_memory.md in triton-inference-server/server.
"""

from collections.abc import Sequence
from typing import Annotated, NoReturn, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from inference_node.errors import InvalidRequestError, RequestError

Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Length = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class Place(Struct, frozen=True):
    """Where a tensor lies: in `byte_size` bytes from `offset` on in the region of that name."""

    region: str
    offset: int
    byte_size: int


class Memory(Protocol):
    """Regions that were registered. Everything raises RequestErrors."""

    def read(self, place: Place) -> bytes:
        """Return the bytes at `place` as they are now."""

    def require(self, place: Place) -> None:
        """Raise unless `place` is there."""

    def write(self, place: Place, data: bytes) -> None:
        """Put `data` to the begin of `place`."""


class NoMemory:
    """For those who may use none: whatever they ask raises what `error` makes of `message`."""

    def __init__(self, error: type[RequestError], message: str) -> None:
        self._error = error
        self._message = message

    def read(self, place: Place) -> bytes:
        """Raise."""
        self._refuse(place)

    def require(self, place: Place) -> None:
        """Raise."""
        self._refuse(place)

    def write(self, place: Place, data: bytes) -> None:  # noqa: ARG002  the protocol's signature
        """Raise."""
        self._refuse(place)

    def _refuse(self, place: Place) -> NoReturn:
        raise self._error(f"shared memory region {place.region[:200]!r}: {self._message}")


NO_MEMORY = NoMemory(InvalidRequestError, "shared memory cannot be used here")


class SystemRegion(Struct, frozen=True):
    """A registered region: `byte_size` bytes from `offset` on of the POSIX shared memory object
    `key`."""

    name: str
    key: str
    offset: int
    byte_size: int


class CudaRegion(Struct, frozen=True):
    """A region in the memory of a GPU. There never is one: ONNX Runtime's Python interface cannot
    open what another process has on a GPU."""

    name: str
    device_id: int
    byte_size: int


class SystemRegistration(Struct, frozen=True):
    """The body of a request to register a region of system shared memory."""

    key: str
    byte_size: Length
    offset: Size = 0


class Handle(Struct, frozen=True):
    """A serialized cudaIPC handle in base64."""

    b64: str


class CudaRegistration(Struct, frozen=True):
    """The body of a request to register a region of CUDA shared memory."""

    raw_handle: Handle
    device_id: Size
    byte_size: Length


Registration = TypeVar("Registration", SystemRegistration, CudaRegistration)


def decode_registration(body: bytes, kind: type[Registration]) -> Registration:
    """Return what `body` wants registered. Raises InvalidRequestError."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(f"the body does not fit: {error}") from error


def encode_regions(regions: Sequence[SystemRegion | CudaRegion]) -> bytes:
    """Return the answer to a request for what is registered."""
    return msgspec.json.encode(regions)


def place_of(tensor: str, region: str | None, offset: int, byte_size: int | None) -> Place | None:
    """Return where `tensor` lies by its parameters shared_memory_region, _offset and _byte_size,
    None where it is in the body. Raises InvalidRequestError where only one of them is given."""
    if region is None and byte_size is None:
        return None
    if region is None or byte_size is None:
        missing = "shared_memory_region" if region is None else "shared_memory_byte_size"
        raise InvalidRequestError(f"{tensor} lies in shared memory, but lacks parameter {missing}")
    return Place(region, offset, byte_size)
