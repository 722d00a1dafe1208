"""The memory tier against a dict that is searched through."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.cache.entry import Entry
from inference_node.cache.memory import ENTRY_BYTES, TENSOR_BYTES, MemoryTier
from inference_node.models.session import Tensor
from tests.unit.inference_node.virtual_time import ManualClock

OVERHEAD_BYTES = ENTRY_BYTES + TENSOR_BYTES


def entry_of(tensor: Tensor, expires_at_us: int = 1000) -> Entry:
    return Entry({"y": tensor}, 0, expires_at_us)


def bytes_entry(size: int, expires_at_us: int = 1000) -> Entry:
    return entry_of(np.zeros(size, np.uint8), expires_at_us)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("store"), st.integers(0, 5), st.integers(0, 4), st.integers(0, 6)),
        st.tuples(st.just("lookup"), st.integers(0, 5), st.just(0), st.just(0)),
        st.tuples(st.just("wait"), st.just(0), st.just(0), st.integers(0, 3)),
    ),
    max_size=60,
)


@given(STEPS, st.integers(0, 3))
def test_the_tier_keeps_what_a_plain_list_in_order_of_use_keeps(
    steps: list[tuple[str, int, int, int]], room: int
) -> None:
    clock = ManualClock()
    max_bytes = room * (OVERHEAD_BYTES + 1000)
    tier = MemoryTier(max_bytes, clock)
    kept: list[tuple[bytes, int, int]] = []  # key, size, expiry; least recently used first

    for what, number, size, time_us in steps:
        key = bytes([number])
        if what == "wait":
            clock.us += time_us
        elif what == "store":
            kept = [row for row in kept if row[0] != key]
            whole = OVERHEAD_BYTES + 500 * size
            if whole <= max_bytes and time_us > 0:
                kept.append((key, whole, clock.us + time_us))
                while sum(row[1] for row in kept) > max_bytes:
                    kept.pop(0)
            tier.store(key, bytes_entry(500 * size, clock.us + time_us))
        else:
            row = next((row for row in kept if row[0] == key), None)
            if row is not None:
                kept.remove(row)
                if row[2] > clock.us:
                    kept.append(row)
                else:
                    row = None
            found = tier.lookup(key)
            assert (found is None) == (row is None)
            assert found is None or row is None or found["y"].nbytes == row[1] - OVERHEAD_BYTES
        assert tier.entries == len(kept)
        assert tier.size_bytes == sum(row[1] for row in kept) <= max_bytes


def test_what_is_pushed_out_is_counted() -> None:
    tier = MemoryTier(2 * (OVERHEAD_BYTES + 10), ManualClock())
    for number in range(5):
        tier.store(bytes([number]), bytes_entry(10))
    assert (tier.entries, tier.evictions) == (2, 3)


def test_an_answer_larger_than_the_tier_is_not_kept_and_pushes_nothing_out() -> None:
    tier = MemoryTier(OVERHEAD_BYTES + 10, ManualClock())
    tier.store(b"small", bytes_entry(10))
    tier.store(b"large", bytes_entry(11))
    assert tier.lookup(b"large") is None
    assert tier.lookup(b"small") is not None
    tier.store(b"small", bytes_entry(11))
    assert tier.lookup(b"small") is None, "what it had is not the answer any more"
    assert tier.evictions == 0


def test_kept_tensors_are_read_only_copies_that_let_go_of_their_batch() -> None:
    tier = MemoryTier(10_000, ManualClock())
    batch = np.arange(8, dtype=np.float32).reshape(4, 2)
    tier.store(b"k", entry_of(batch[1:2]))
    whole = weakref.ref(batch)
    batch[:] = -1
    del batch
    gc.collect()
    assert whole() is None
    found = tier.lookup(b"k")
    assert found is not None
    assert found["y"].tolist() == [[2, 3]]
    with pytest.raises(ValueError, match="read-only"):
        found["y"][:] = 0


def test_the_size_of_text_counts() -> None:
    tier = MemoryTier(OVERHEAD_BYTES + 1000, ManualClock())
    tier.store(b"k", entry_of(np.array(["a" * 1000], object)))
    assert tier.entries == 0


def test_a_tier_of_no_bytes_keeps_nothing() -> None:
    tier = MemoryTier(0, ManualClock())
    tier.store(b"k", bytes_entry(0))
    assert tier.lookup(b"k") is None
