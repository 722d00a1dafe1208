"""The disk tier on a real file: restarts, kills, damage, and a disk that refuses."""

import asyncio
import logging
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_node.cache.breaker import LONGEST_PAUSE_US, Breaker
from inference_node.cache.disk import MOST_PENDING_BYTES, DiskTier
from inference_node.cache.disk_store import ROW_BYTES, DiskError, DiskStore
from inference_node.cache.entry import Value
from tests.unit.inference_node.virtual_time import ManualClock

ROOT = Path(__file__).parents[4]
MAX_BYTES = 10**6
FOREVER_US = 10**15

Story = Callable[[DiskTier], Awaitable[None]]


def play(path: Path, clock: ManualClock, tell: Story, max_bytes: int = MAX_BYTES) -> None:
    """Open a tier, let `tell` use it, close it."""

    async def told() -> None:
        tier = DiskTier(path, max_bytes, clock, breaker=Breaker(clock, lambda: 0.0))
        await tell(tier)
        await tier.close()

    asyncio.run(told())


def store_at(path: Path, max_bytes: int = MAX_BYTES, clock: ManualClock | None = None) -> DiskStore:
    return DiskStore(path, max_bytes, clock or ManualClock())


def put(store: DiskStore, key: bytes, content: bytes, expires_at_us: int = FOREVER_US) -> None:
    store.put({key: Value(content, expires_at_us)})


async def stored(tier: DiskTier, key: bytes, content: bytes) -> None:
    """Store and wait until it is written, or was not."""
    tier.store(key, Value(content, FOREVER_US))
    while tier._writing is not None:
        await asyncio.wait([tier._writing])
        await asyncio.sleep(0)


def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    path, clock = tmp_path / "new folder" / "cache.sqlite", ManualClock()

    async def first(tier: DiskTier) -> None:
        for number in range(10):
            tier.store(b"%d" % number, Value(b"v%d" % number, FOREVER_US))

    async def second(tier: DiskTier) -> None:
        assert [await tier.lookup(b"%d" % n) for n in range(10)] == [b"v%d" % n for n in range(10)]
        assert await tier.lookup(b"other") is None
        assert (tier.entries, tier.size_bytes) == (10, 10 * (ROW_BYTES + 2))
        assert (tier.failures, tier.dropped) == (0, 0)

    play(path, clock, first)
    play(path, clock, second)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 5), st.integers(0, 6), st.integers(0, 9)),
        st.tuples(st.just("get"), st.integers(0, 5), st.just(0), st.just(0)),
        st.tuples(st.sampled_from(["wait", "restart"]), st.just(0), st.just(0), st.integers(0, 3)),
    ),
    max_size=40,
)


@settings(max_examples=50, deadline=None)
@given(STEPS, st.integers(1, 4))
def test_the_store_keeps_what_a_plain_list_in_order_of_use_keeps(
    steps: list[tuple[str, int, int, int]], room: int
) -> None:
    clock = ManualClock(1)
    max_bytes = room * (ROW_BYTES + 300)
    kept: list[tuple[bytes, bytes, int]] = []  # key, value, expiry; least recently used first

    def bytes_kept() -> int:
        return sum(ROW_BYTES + len(value) for _, value, _ in kept)

    with tempfile.TemporaryDirectory() as folder:
        store = store_at(Path(folder) / "c", max_bytes, clock)
        for what, number, size, time_us in steps:
            key, value = bytes([number]), bytes([number]) * 100 * size
            if what == "wait":
                clock.us += time_us
            elif what == "restart":
                store.close()
                store = store_at(Path(folder) / "c", max_bytes, clock)
                kept = [row for row in kept if row[2] > clock.us]
                store.get(b"to open it")
            elif what == "put":
                if ROW_BYTES + len(value) <= max_bytes:
                    kept = [row for row in kept if row[0] != key]
                    kept.append((key, value, clock.us + time_us))
                while bytes_kept() > max_bytes:
                    kept.pop(0)
                put(store, key, value, clock.us + time_us)
            else:
                row = next((row for row in kept if row[0] == key and row[2] > clock.us), None)
                if row is not None:
                    kept.remove(row)
                    kept.append(row)
                assert store.get(key) == (None if row is None else row[1])
            assert (store.entries, store.size_bytes) == (len(kept), bytes_kept())
        store.close()


def test_what_was_used_last_stays_also_after_a_restart(tmp_path: Path) -> None:
    size = 100 + ROW_BYTES
    store = store_at(tmp_path / "c", max_bytes=3 * size)
    for key in (b"a", b"b", b"c"):
        put(store, key, b"v" * 100)
    assert store.get(b"a") is not None
    put(store, b"d", b"v" * 100)
    assert store.get(b"b") is None
    assert store.get(b"c") is not None
    store.close()
    store = store_at(tmp_path / "c", max_bytes=3 * size)
    put(store, b"e", b"v" * 100)
    assert [store.get(key) is not None for key in (b"a", b"c", b"d", b"e")] == [
        False,
        True,
        True,
        True,
    ]
    store.close()


def test_the_file_stays_near_its_bound(tmp_path: Path) -> None:
    store = store_at(tmp_path / "c", max_bytes=400_000)
    for number in range(400):
        put(store, b"%d" % number, os.urandom(10 + number * 50))
    assert store.evictions > 0
    assert store.size_bytes <= 400_000
    store.close()
    assert (tmp_path / "c").stat().st_size <= 600_000


def test_a_smaller_bound_takes_effect_with_the_next_start(tmp_path: Path) -> None:
    store = store_at(tmp_path / "c")
    for number in range(10):
        put(store, b"%d" % number, b"v" * 1000)
    store.close()
    store = store_at(tmp_path / "c", max_bytes=3 * (1000 + ROW_BYTES))
    assert store.get(b"9") is not None
    assert store.entries == 3
    store.close()


WRITER = """
import sys
from pathlib import Path
from inference_node.cache.disk_store import DiskStore
from inference_node.cache.entry import Value
from inference_node.clock import Clock

store = DiskStore(Path(sys.argv[1]), 10**8, Clock())
number = 0
while True:
    value = Value(b"%d " % number * 1000, 10**18)
    store.put({b"%d" % number: value})
    print(number, flush=True)
    number += 1
"""


def test_a_kill_while_it_writes_loses_nothing_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        written = [int(writer.stdout.readline()) for _ in range(50)]
        writer.send_signal(signal.SIGKILL)
        written += [int(line) for line in writer.stdout]
    store = store_at(path, 10**8)
    for number in written:
        assert store.get(b"%d" % number) == b"%d " % number * 1000
    store.close()
    assert not list(tmp_path.glob("*.damaged"))


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 7)


def _overwrite_all(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


def _overwrite_but_header(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:100] + os.urandom(len(content) - 100))


@pytest.mark.parametrize("damage", [_cut, _overwrite_all, _overwrite_but_header])
def test_a_damaged_file_is_set_aside_and_begun_anew_with_one_warning(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path, clock = tmp_path / "c", ManualClock()

    async def fill(tier: DiskTier) -> None:
        for number in range(200):
            tier.store(b"%d" % number, Value(b"v" * 1000, FOREVER_US))

    async def use(tier: DiskTier) -> None:
        found = [await tier.lookup(b"%d" % number) for number in range(200)]
        assert set(found) <= {None, b"v" * 1000}
        clock.us += LONGEST_PAUSE_US
        await stored(tier, b"new", b"v")
        assert await tier.lookup(b"new") == b"v"

    play(path, clock, fill)
    damage(path)
    play(path, clock, use)
    aside = [record for record in caplog.records if "begun anew" in record.message]
    assert len(aside) == 1
    assert path.with_name("c.damaged").exists()


def test_a_value_with_a_flipped_bit_is_the_decoders_to_find_not_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "c"
    store = store_at(path)
    put(store, b"k", b"needle" * 10)
    store.close()
    path.write_bytes(path.read_bytes().replace(b"needle", b"noodle", 1))
    store = store_at(path)
    assert store.get(b"k") == b"noodle" + b"needle" * 9
    store.close()


def test_somebody_elses_database_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "theirs"
    database = sqlite3.connect(path)
    database.execute("create table precious (x)")
    database.commit()
    database.close()
    before = path.read_bytes()

    async def use(tier: DiskTier) -> None:
        await stored(tier, b"k", b"v")
        assert await tier.lookup(b"k") is None

    play(path, ManualClock(), use)
    assert path.read_bytes() == before
    assert "somebody else's database" in caplog.text


def test_an_unusable_place_is_a_miss_with_one_warning_until_it_can_be_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    place = tmp_path / "place"
    place.write_text("a file where the folder should be")  # stops root, too

    async def use(tier: DiskTier) -> None:
        for _ in range(5):
            await stored(tier, b"k", b"v")
            assert await tier.lookup(b"k") is None
            clock.us += LONGEST_PAUSE_US
        assert (tier.dropped, tier.failures) == (5, 5)
        assert len(caplog.records) == 1
        assert str(place) in caplog.text
        place.unlink()
        await stored(tier, b"k", b"v")
        assert await tier.lookup(b"k") == b"v"

    play(place / "c", clock, use)
    warnings = [record.message.split(": ", 1)[1] for record in caplog.records]
    assert len(warnings) == 2
    assert warnings[1] == "works again"


def test_a_file_that_another_process_uses_is_a_miss(tmp_path: Path) -> None:
    clock = ManualClock()
    other = store_at(tmp_path / "c")
    put(other, b"k", b"theirs")

    async def use(tier: DiskTier) -> None:
        assert await tier.lookup(b"k") is None
        assert tier.failures == 1
        other.close()
        clock.us += LONGEST_PAUSE_US
        assert await tier.lookup(b"k") == b"theirs"

    play(tmp_path / "c", clock, use)


def test_a_full_disk_keeps_what_there_is_and_takes_more_when_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    clock = ManualClock()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    many = {b"%d" % number: os.urandom(3000) for number in range(50)}

    async def use(tier: DiskTier) -> None:
        await stored(tier, b"k", b"v")
        # No file of this process may grow beyond this: the write fails as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
        try:
            for key, value in many.items():
                await stored(tier, key, value)
            assert tier.failures > 0
            clock.us += LONGEST_PAUSE_US
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert await tier.lookup(b"k") == b"v"
        for key, value in many.items():
            await stored(tier, key, value)
            assert await tier.lookup(key) == value

    play(tmp_path / "c", clock, use)


def test_more_than_may_wait_is_dropped_and_counted(tmp_path: Path) -> None:
    async def use(tier: DiskTier) -> None:
        value = bytes(MOST_PENDING_BYTES // 2)
        for number in range(5):
            tier.store(b"%d" % number, Value(value, FOREVER_US))
        assert tier.dropped == 2  # one is being written, two wait

    play(tmp_path / "c", ManualClock(), use, 10**9)


def test_a_lookup_that_is_cancelled_does_not_hold_up_the_next(tmp_path: Path) -> None:
    async def use(tier: DiskTier) -> None:
        await stored(tier, b"k", b"v")
        lookups = [asyncio.create_task(tier.lookup(b"k")) for _ in range(5)]
        await asyncio.sleep(0)
        for lookup in lookups:
            lookup.cancel()
        await asyncio.gather(*lookups, return_exceptions=True)
        assert await tier.lookup(b"k") == b"v"
        assert tier.failures == 0

    play(tmp_path / "c", ManualClock(), use)


def test_a_closed_tier_answers_nothing_and_takes_nothing(tmp_path: Path) -> None:
    async def use(tier: DiskTier) -> None:
        await stored(tier, b"k", b"v")
        await tier.close()
        assert await tier.lookup(b"k") is None
        tier.store(b"l", Value(b"v", FOREVER_US))
        assert tier.dropped == 1

    async def told() -> None:
        await use(DiskTier(tmp_path / "c", MAX_BYTES, ManualClock()))

    asyncio.run(told())


def test_the_store_says_what_is_wrong_with_which_file(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match=str(tmp_path)):
        store_at(tmp_path).get(b"k")
