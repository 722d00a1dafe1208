"""A POSIX shared memory object as a client of the node makes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.shared_memory import SharedMemory


@contextmanager
def shared_memory_object(size: int) -> Iterator[tuple[str, memoryview]]:
    """Yield the name and the bytes of a new object; it is gone afterwards."""
    made = SharedMemory(create=True, size=size)
    assert made.buf is not None
    try:
        yield made.name, made.buf
    finally:
        made.close()
        made.unlink()
