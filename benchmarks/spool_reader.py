"""The usage records that a node under test leaves, read from its spool; no collector runs."""

import time
from collections.abc import Iterable

from benchmarks.servers import NotMeasuredError, Server
from usage import UsageRecord, decode_line
from usage.spool import boots

PATIENCE_S = 10.0


def records_of(server: Server, record_ids: Iterable[str]) -> dict[str, UsageRecord]:
    """Return the records of these ids as soon as all are written.

    Raises NotMeasuredError when one of them is not there in time.
    """
    wanted = set(record_ids)
    give_up_at_s = time.monotonic() + PATIENCE_S
    while True:
        found = {record.record_id: record for record in _records(server)}
        if wanted <= found.keys():
            return {record_id: found[record_id] for record_id in wanted}
        if time.monotonic() > give_up_at_s:
            missing = len(wanted - found.keys())
            raise NotMeasuredError(f"{missing} requests have no usage record in {server.spool}")
        time.sleep(0.1)


def delete_closed_segments(server: Server) -> None:
    """Delete all but the segment that is being written, as a collector would have by now."""
    for boot in boots(server.spool) if server.spool else ():
        for number in boot.segments()[:-1]:
            (boot.folder / f"{number:08d}.ndjson").unlink()


def _records(server: Server) -> Iterable[UsageRecord]:
    assert server.spool is not None
    for path in sorted(server.spool.glob("*/*/*.ndjson")):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                fact = decode_line(line)
                if isinstance(fact, UsageRecord):
                    yield fact
