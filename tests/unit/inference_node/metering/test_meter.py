"""Facts reach the spool whole and in order, and none is lost unseen."""

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inference_node.metering.meter import LINES_AT_ONCE, Meter
from tests.fixtures_usage import node_sample, usage_record
from usage import SpoolError, SpoolWriter, UsageRecord, decode_line

BOOT_ID = "0198c0de-0000-7000-8000-000000000001"


class StubWriter(SpoolWriter):
    """Keeps what is appended; refuses while `broken`."""

    def __init__(self) -> None:
        super().__init__(Path("nowhere"), "node-1", BOOT_ID)
        self.broken = False
        self.appended: list[bytes] = []
        self.refused: list[bytes] = []
        self.closed = False

    def append(self, lines: bytes) -> None:
        if self.broken:
            self.refused.append(lines)
            raise SpoolError(28, "spool nowhere: No space left on device")
        self.appended.append(lines)

    def close(self) -> None:
        self.closed = True

    @property
    def seqs(self) -> list[int]:
        return [seq_of(line) for line in b"".join(self.appended).splitlines()]


def seq_of(line: bytes) -> int:
    record = decode_line(line)
    assert isinstance(record, UsageRecord)
    return record.seq


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        threading.Event().wait(0.001)


def meter_of(writer: SpoolWriter, *, buffer_records: int = 1000) -> Meter:
    return Meter(writer, flush_interval_s=0.001, buffer_records=buffer_records)


def add(meter: Meter, first: int, last: int) -> None:
    for seq in range(first, last + 1):
        meter.add(usage_record(seq=seq))


def test_facts_reach_the_spool_in_order_as_whole_lines(tmp_path: Path) -> None:
    meter = meter_of(SpoolWriter(tmp_path, "node-1", BOOT_ID), buffer_records=20_000)
    add(meter, 1, 10_000)
    meter.close()

    [segment] = tmp_path.glob("node-1/*/*.ndjson")
    text = segment.read_bytes()
    assert text.endswith(b"\n")
    assert [seq_of(line) for line in text.splitlines()] == list(range(1, 10_001))
    assert meter.records_dropped == 0


def test_samples_and_records_share_the_way() -> None:
    writer = StubWriter()
    meter = meter_of(writer)
    meter.add(usage_record())
    meter.add(node_sample())
    meter.close()
    kinds = [type(decode_line(line)).__name__ for line in b"".join(writer.appended).splitlines()]
    assert kinds == ["UsageRecord", "NodeSample"]
    assert writer.closed


def test_a_fact_is_written_within_the_interval_without_a_further_one() -> None:
    writer = StubWriter()
    meter = meter_of(writer)
    add(meter, 1, 1)
    until(lambda: writer.seqs == [1])
    meter.close()


def test_while_the_spool_refuses_facts_wait_and_then_all_arrive_once_and_in_order(
    caplog: pytest.LogCaptureFixture,
) -> None:
    writer = StubWriter()
    writer.broken = True
    meter = meter_of(writer)
    add(meter, 1, 400)
    until(lambda: len(writer.refused) > 3)
    add(meter, 401, 1000)
    writer.broken = False
    until(lambda: len(writer.seqs) == 1000)
    meter.close()

    assert writer.seqs == list(range(1, 1001))
    assert meter.records_dropped == 0
    messages = [record.getMessage() for record in caplog.records]
    assert sum("No space left" in message for message in messages) == 1
    assert any("takes facts again" in message for message in messages)


def test_beyond_the_bound_facts_are_dropped_and_counted_and_the_oldest_are_kept() -> None:
    writer = StubWriter()
    writer.broken = True
    meter = meter_of(writer, buffer_records=100)
    add(meter, 1, 60)
    until(lambda: bool(writer.refused))
    add(meter, 61, 250)
    assert meter.records_dropped == 150

    writer.broken = False
    until(lambda: len(writer.seqs) == 100)
    add(meter, 251, 350)
    meter.close()
    assert writer.seqs == [*range(1, 101), *range(251, 351)]
    assert meter.records_dropped == 150


def test_what_cannot_be_written_at_the_end_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    writer = StubWriter()
    writer.broken = True
    meter = meter_of(writer)
    add(meter, 1, 7)
    meter.close()
    assert "7 facts could not be written to the spool" in caplog.text
    assert writer.closed


def test_a_flush_writes_what_is_there_and_does_not_chase_what_arrives_meanwhile() -> None:
    class BusyNode(StubWriter):
        def append(self, lines: bytes) -> None:
            super().append(lines)
            if len(self.appended) < 10:
                add(meter, len(self.appended) + 1, len(self.appended) + 1)

    writer = BusyNode()
    meter = Meter(writer, flush_interval_s=1000, buffer_records=1000)
    add(meter, 1, 1)
    meter._flush()
    assert writer.seqs == [1]
    assert meter.records_buffered == 1
    meter._flush()
    assert writer.seqs == [1, 2]
    meter.close()


def test_the_end_says_whether_the_spool_has_every_fact() -> None:
    writer = StubWriter()
    meter = meter_of(writer)
    add(meter, 1, 3)
    assert meter.close()

    writer.broken = True
    meter = meter_of(writer)
    add(meter, 4, 5)
    assert not meter.close()

    meter = meter_of(writer, buffer_records=1)
    add(meter, 6, 7)
    writer.broken = False
    assert not meter.close()
    assert writer.seqs == [1, 2, 3, 6]


def test_a_fact_that_has_no_json_is_dropped_and_counted_and_the_others_are_written(
    caplog: pytest.LogCaptureFixture,
) -> None:
    writer = StubWriter()
    meter = meter_of(writer)
    add(meter, 1, 2)
    meter.add(usage_record(seq=3, tenant="\ud800"))
    add(meter, 4, 5)
    until(lambda: writer.seqs == [1, 2, 4, 5])
    assert meter.records_dropped == 1
    assert meter.records_buffered == 0
    add(meter, 6, 6)
    assert not meter.close()
    assert writer.seqs == [1, 2, 4, 5, 6]
    assert "a fact that cannot be written is dropped" in caplog.text


def test_a_long_backlog_is_written_in_pieces_so_that_a_small_gap_is_used_and_none_is_copied() -> (
    None
):
    writer = StubWriter()
    writer.broken = True
    meter = meter_of(writer, buffer_records=3 * LINES_AT_ONCE)
    add(meter, 1, 3 * LINES_AT_ONCE)
    until(lambda: len(writer.refused) > 3)
    assert max(lines.count(b"\n") for lines in writer.refused) <= LINES_AT_ONCE
    writer.broken = False
    meter.close()
    assert writer.seqs == list(range(1, 3 * LINES_AT_ONCE + 1))


def test_many_threads_may_add_and_each_one_stays_in_order() -> None:
    # The node adds from one thread; that nothing depends on it is a comfort.
    writer = StubWriter()
    meter = meter_of(writer, buffer_records=100_000)
    threads = [
        threading.Thread(target=add, args=(meter, 1000 * number, 1000 * number + 999))
        for number in range(1, 5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter.close()
    seqs = writer.seqs
    assert sorted(seqs) == list(range(1000, 5000))
    for number in range(1, 5):
        own = [seq for seq in seqs if seq // 1000 == number]
        assert own == sorted(own)


def test_a_spool_that_is_no_folder_is_waited_for_until_it_is_one(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.write_text("in the way")
    meter = meter_of(SpoolWriter(spool, "node-1", BOOT_ID))
    add(meter, 1, 5)
    until(lambda: meter.failing)
    spool.unlink()
    until(lambda: not meter.failing)
    add(meter, 6, 9)
    meter.close()
    [segment] = spool.glob("node-1/*/*.ndjson")
    assert [seq_of(line) for line in segment.read_bytes().splitlines()] == list(range(1, 10))


FULL_DISK = """
import resource, sys, threading
from pathlib import Path
from inference_node.metering.meter import Meter
from tests.fixtures_usage import usage_record
from usage import SpoolWriter

spool, room = Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
meter = Meter(
    SpoolWriter(spool, "node-1", "0198c0de-0000-7000-8000-000000000001"),
    flush_interval_s=0.001, buffer_records=50,
)
for seq in range(1, 101):
    meter.add(usage_record(seq=seq))
while not meter.failing:
    threading.Event().wait(0.001)
print(meter.records_dropped, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
while meter.failing:
    threading.Event().wait(0.001)
meter.close()
"""


def test_a_full_disk_tears_no_line_and_what_waited_is_written_once_there_is_room(
    tmp_path: Path,
) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    spool = tmp_path / "spool"
    room = 3000  # three lines and a half
    process = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(spool), str(room)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    lines = b"".join(path.read_bytes() for path in sorted(spool.glob("node-1/*/*.ndjson")))
    seqs = [seq_of(line) for line in lines.splitlines()]
    assert seqs == sorted(set(seqs))
    assert len(seqs) == 100 - int(process.stdout)
    assert "File too large" in process.stderr
    assert "Traceback" not in process.stderr
