"""Regions of shared memory, on files as Linux shows shared memory objects."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node import shared_memory
from inference_node.errors import (
    BodyTooLargeError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    RequestError,
)
from inference_node.protocol.shared_memory import NO_MEMORY, Place, SystemRegion
from inference_node.shared_memory import OBJECTS, SharedMemory
from tests.shared_memory_object import shared_memory_object

SIZE = 100


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[SharedMemory]:
    (tmp_path / "tensors").write_bytes(bytes(range(SIZE)))
    before = open_files()
    memory = SharedMemory(allowed=True, max_tensor_bytes=50, objects=tmp_path)
    yield memory
    memory.unregister_all()
    assert memory.regions() == []
    assert open_files() == before


def region(offset: int = 0, size: int = SIZE, key: str = "/tensors") -> SystemRegion:
    return SystemRegion("r", key, offset, size)


@pytest.mark.parametrize("key", ["tensors", "/tensors"])
def test_tensors_are_read_where_they_are_and_written_where_they_are_wanted(
    memory: SharedMemory, tmp_path: Path, key: str
) -> None:
    memory.register(region(10, 60, key))
    assert memory.read(Place("r", 5, 3)) == bytes([15, 16, 17])
    memory.write(Place("r", 58, 2), b"ab")
    memory.write(Place("r", 0, 40), b"c")
    content = (tmp_path / "tensors").read_bytes()
    assert content == b"".join(
        [bytes(range(10)), b"c", bytes(range(11, 68)), b"ab", bytes(range(70, SIZE))]
    )
    assert memory.read(Place("r", 58, 2)) == b"ab"
    assert memory.region("r") == region(10, 60, key)


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(0, 40))
def test_nothing_outside_a_region_is_read_or_written(
    tmp_path_factory: pytest.TempPathFactory, begin: int, size: int, offset: int, length: int
) -> None:
    folder = tmp_path_factory.mktemp("objects")
    (folder / "tensors").write_bytes(bytes(range(SIZE)))
    memory = SharedMemory(allowed=True, max_tensor_bytes=50, objects=folder)
    memory.register(region(begin, size))
    place = Place("r", offset, length)
    try:
        if offset + length <= size:
            memory.require(place)
            assert memory.read(place) == bytes(range(begin + offset, begin + offset + length))
            memory.write(place, bytes(length))
        else:
            for refused in (memory.require, memory.read, lambda p: memory.write(p, b"")):
                with pytest.raises(InvalidRequestError, match=f"beyond the {size} bytes"):
                    refused(place)
            length = 0
        expected = bytearray(range(SIZE))
        expected[begin + offset : begin + offset + length] = bytes(length)
        assert (folder / "tensors").read_bytes() == expected
    finally:
        memory.unregister_all()


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        ("", "accepted: the name"),
        ("/", "accepted: the name"),
        (".", "accepted: the name"),
        ("/..", "accepted: the name"),
        ("//tensors", "accepted: the name"),
        ("../tensors", "accepted: the name"),
        ("folder/x", "accepted: the name"),
        ("a\0b", "accepted: the name"),
        ("n" * 256, "accepted: the name"),
        ("ü" * 128, "accepted: the name"),
        ("/sem.lock", "accepted: the name"),
        ("nothing", "there is no such object"),
        ("link", "it is a symbolic link"),
        ("folder", "it is no shared memory"),
        ("pipe", "it is no shared memory"),
    ],
)
def test_a_key_that_is_no_shared_memory_is_refused(
    memory: SharedMemory, tmp_path: Path, key: str, complaint: str
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "tensors")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_bytes(bytes(SIZE))
    (tmp_path / "sem.lock").write_bytes(bytes(SIZE))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidRequestError, match=complaint) as refusal:
        memory.register(region(key=key))
    assert repr(key[:200]) in str(refusal.value)
    assert memory.regions() == []


@pytest.mark.parametrize(("offset", "size"), [(0, 101), (100, 1), (2**62, 2**62)])
def test_a_region_beyond_its_object_is_refused(
    memory: SharedMemory, offset: int, size: int
) -> None:
    with pytest.raises(InvalidRequestError, match="beyond the 100 bytes of '/tensors'"):
        memory.register(region(offset, size))


def test_a_name_stands_for_one_region_until_it_is_given_back(memory: SharedMemory) -> None:
    memory.register(region(0, 10))
    with pytest.raises(InvalidRequestError, match="'r' is registered already"):
        memory.register(region(0, 20))
    memory.unregister("r")
    memory.unregister("r")
    with pytest.raises(NotFoundError, match="'r' is registered"):
        memory.region("r")
    with pytest.raises(InvalidRequestError, match="'r' is not registered"):
        memory.read(Place("r", 0, 1))
    memory.register(region(0, 20))
    assert memory.regions() == [region(0, 20)]


def test_so_many_regions_and_no_more(memory: SharedMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_memory, "MOST_REGIONS", 3)
    for number in range(3):
        memory.register(SystemRegion(str(number), "/tensors", 0, 1))
    with pytest.raises(InvalidRequestError, match="3 regions are registered already"):
        memory.register(region())
    memory.unregister("1")
    memory.register(region())


def test_an_object_that_shrinks_or_is_replaced_harms_nobody(
    memory: SharedMemory, tmp_path: Path
) -> None:
    memory.register(region())
    os.truncate(tmp_path / "tensors", 20)
    assert memory.read(Place("r", 0, 20)) == bytes(range(20))
    with pytest.raises(InvalidRequestError, match="smaller than when it was registered"):
        memory.read(Place("r", 15, 10))
    with pytest.raises(InvalidRequestError, match="smaller than when it was registered"):
        memory.write(Place("r", 15, 10), bytes(10))
    assert (tmp_path / "tensors").stat().st_size == 20
    (tmp_path / "tensors").unlink()
    (tmp_path / "tensors").write_bytes(b"another's")
    assert memory.read(Place("r", 0, 2)) == b"\0\1"


def test_what_is_too_large_is_refused(memory: SharedMemory) -> None:
    memory.register(region())
    with pytest.raises(BodyTooLargeError, match="byte_size is 51; accepted: at most 50"):
        memory.read(Place("r", 0, 51))
    with pytest.raises(InvalidRequestError, match="needs 3 bytes; its shared_memory_byte_size"):
        memory.write(Place("r", 0, 2), b"abc")


def test_memory_that_is_full_is_said_to_be(
    memory: SharedMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    memory.register(region())
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(RequestError, match="shared memory is full: No space left"):
        memory.write(Place("r", 0, 2), b"ab")
    monkeypatch.setattr(os, "pwrite", lambda *_: 1)
    with pytest.raises(RequestError, match="shared memory is full"):
        memory.write(Place("r", 0, 2), b"ab")


def test_a_node_that_shares_none_registers_none(tmp_path: Path) -> None:
    (tmp_path / "tensors").write_bytes(bytes(SIZE))
    memory = SharedMemory(allowed=False, max_tensor_bytes=50, objects=tmp_path)
    with pytest.raises(ForbiddenError, match=r"access\.shared_memory = true"):
        memory.register(region())
    assert memory.regions() == []


def test_who_may_use_none_is_told_so() -> None:
    place = Place("r", 0, 1)
    uses = (NO_MEMORY.read, NO_MEMORY.require, lambda place: NO_MEMORY.write(place, b""))
    for use in uses:
        with pytest.raises(InvalidRequestError, match="'r': shared memory cannot be used here"):
            use(place)


def test_objects_are_where_python_puts_them() -> None:
    with shared_memory_object(SIZE) as (name, content):
        content[:3] = b"abc"
        memory = SharedMemory(allowed=True, max_tensor_bytes=50)
        memory.register(region(key=name))
        assert memory.read(Place("r", 0, 3)) == b"abc"
        memory.write(Place("r", 1, 1), b"x")
        assert bytes(content[:3]) == b"axc"
        memory.unregister_all()
        assert (OBJECTS / name).exists()
