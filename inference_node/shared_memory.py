"""Regions of POSIX shared memory that clients on this machine have registered for tensors."""

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inference_node.errors import (
    BodyTooLargeError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RequestError,
)
from inference_node.protocol.shared_memory import Place, SystemRegion

# Where Linux keeps the objects of shm_open(3); other systems do not show them as files.
OBJECTS = Path("/dev/shm")  # noqa: S108  nothing is made there
LONGEST_NAME = 255
# POSIX semaphores lie there, too (sem_overview(7)).
SEMAPHORE = "sem."

# Each of them is an open file.
MOST_REGIONS = 256

REASONS: Mapping[int, str] = {
    errno.ENOENT: "there is no such object",
    errno.EACCES: "the node's user may not read and write it",
    errno.ELOOP: "it is a symbolic link",
    errno.ENXIO: "it is no shared memory",
    errno.EISDIR: "it is no shared memory",
}


@dataclass(frozen=True, slots=True)
class _Opened:
    about: SystemRegion
    file: int


class SharedMemory:
    """Registers regions, reads tensors from them and writes tensors to them.

    Tensors are copied with pread(2) and pwrite(2), not mapped: a client may shrink its object at
    any time, and who touches mapped memory that is gone is killed. And what was hashed, looked up
    in the cache and executed is the same, whatever the client writes meanwhile.

    At most `max_tensor_bytes` are read at once. Where `allowed` is False nothing is registered.
    """

    def __init__(self, *, allowed: bool, max_tensor_bytes: int, objects: Path = OBJECTS) -> None:
        self._allowed = allowed
        self._max_tensor_bytes = max_tensor_bytes
        self._objects = objects
        self._regions: dict[str, _Opened] = {}

    def register(self, region: SystemRegion) -> None:
        """Make `region` known by its name; the object stays what it is now, also if its key is
        given to another one.

        Raises ForbiddenError, or InvalidRequestError that says what is wrong with it.
        """
        if not self._allowed:
            raise ForbiddenError(
                "this node shares no memory; it takes access.shared_memory = true in its "
                "configuration, and access.allow_anonymous = false"
            )
        if region.name in self._regions:
            raise InvalidRequestError(
                f"shared memory region {region.name[:200]!r} is registered already"
            )
        if len(self._regions) >= MOST_REGIONS:
            raise InvalidRequestError(f"{MOST_REGIONS} regions are registered already")
        file = self._open(region.key)
        try:
            _require_inside(region, os.fstat(file))
        except InvalidRequestError:
            os.close(file)
            raise
        self._regions[region.name] = _Opened(region, file)

    def unregister(self, name: str) -> None:
        """Forget region `name`, if it is known."""
        opened = self._regions.pop(name, None)
        if opened is not None:
            os.close(opened.file)

    def unregister_all(self) -> None:
        """Forget every region."""
        for name in list(self._regions):
            self.unregister(name)

    def regions(self) -> list[SystemRegion]:
        """Return what is registered."""
        return [opened.about for opened in self._regions.values()]

    def region(self, name: str) -> SystemRegion:
        """Return the region `name`. Raises NotFoundError."""
        if name not in self._regions:
            raise NotFoundError(f"no system shared memory region {name[:200]!r} is registered")
        return self._regions[name].about

    def read(self, place: Place) -> bytes:
        """Return the bytes at `place` as they are now. Raises RequestErrors."""
        if place.byte_size > self._max_tensor_bytes:
            raise BodyTooLargeError(
                f"shared_memory_byte_size is {place.byte_size}; accepted: at most "
                f"{self._max_tensor_bytes}"
            )
        opened = self._opened(place)
        data = os.pread(opened.file, place.byte_size, opened.about.offset + place.offset)
        if len(data) < place.byte_size:
            raise _shrunk(place)
        return data

    def require(self, place: Place) -> None:
        """Raise InvalidRequestError unless `place` is in a region that is registered."""
        self._opened(place)

    def write(self, place: Place, data: bytes) -> None:
        """Put `data` to the begin of `place`. Raises RequestErrors."""
        opened = self._opened(place)
        if len(data) > place.byte_size:
            raise InvalidRequestError(
                f"an output needs {len(data)} bytes; its shared_memory_byte_size is "
                f"{place.byte_size}"
            )
        begin = opened.about.offset + place.offset
        if os.fstat(opened.file).st_size < begin + len(data):
            raise _shrunk(place)
        try:
            written = os.pwrite(opened.file, data, begin)
        except OSError as error:  # its pages are made when they are written first
            raise RequestError(f"shared memory is full: {os.strerror(error.errno or 0)}") from error
        if written < len(data):
            raise RequestError("shared memory is full")

    def _opened(self, place: Place) -> _Opened:
        opened = self._regions.get(place.region)
        if opened is None:
            raise InvalidRequestError(
                f"shared memory region {place.region[:200]!r} is not registered"
            )
        size = opened.about.byte_size
        if place.offset + place.byte_size > size:
            raise InvalidRequestError(
                f"shared_memory_offset {place.offset} and shared_memory_byte_size "
                f"{place.byte_size} go beyond the {size} bytes of region {place.region[:200]!r}"
            )
        return opened

    def _open(self, key: str) -> int:
        name = key.removeprefix("/")
        fits = name not in ("", ".", "..") and not set("/\0") & set(name)
        if not fits or len(os.fsencode(name)) > LONGEST_NAME or name.startswith(SEMAPHORE):
            raise InvalidRequestError(
                f"key is {key[:200]!r}; accepted: the name of a shared memory object, like /tensors"
            )
        flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
        try:
            return os.open(self._objects / name, flags)
        except OSError as error:
            reason = REASONS.get(error.errno or 0) or os.strerror(error.errno or 0)
            raise InvalidRequestError(f"key is {key[:200]!r}: {reason}") from error


def _require_inside(region: SystemRegion, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise InvalidRequestError(f"key is {region.key[:200]!r}: it is no shared memory")
    if region.offset + region.byte_size > found.st_size:
        raise InvalidRequestError(
            f"offset {region.offset} and byte_size {region.byte_size} go beyond the "
            f"{found.st_size} bytes of {region.key[:200]!r}"
        )


def _shrunk(place: Place) -> InvalidRequestError:
    return InvalidRequestError(
        f"shared memory region {place.region[:200]!r} is smaller than when it was registered"
    )
