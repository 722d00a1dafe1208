"""What is metered in process is whole usage records on disk."""

from pathlib import Path

from benchmarks.metering import measure_in_process
from usage import UsageRecord, decode_line


def test_every_made_up_request_leaves_a_record_that_the_collector_would_take(
    tmp_path: Path,
) -> None:
    cost = measure_in_process(tmp_path, 500)
    [segment] = tmp_path.glob("*/*/*.ndjson")
    records = [decode_line(line) for line in segment.read_bytes().splitlines()]
    assert all(isinstance(record, UsageRecord) for record in records)
    assert len(records) == 500
    assert 0 < cost.on_path_us <= cost.total_us
