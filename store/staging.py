"""Facts on their way into the database: checked, counted and summed before the file is opened.

Everything here happens in tables of an engine in memory (catalog `memory`), so that the file is
locked for the last step only.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

import duckdb
import msgspec
import pyarrow as pa

from store.batch import SAMPLE_COLUMNS, Batch, RejectedLine, UsageMinute
from store.dimensions import Dimensions, of_minute, of_record
from store.line_sql import KEY_FIELDS, READ_LINES
from store.lines import Lines, RawLine
from store.period import DAY_US
from store.staging_tables import (
    DIMENSION,
    EMPTY_TABLES,
    KNOWN_TABLES,
    MEASURES,
    REJECTED,
    SUM_LATENCIES,
    SUM_MINUTES,
)
from usage import Chunk, InvalidLineError, NodeSample, Stray, UsageRecord, decode_line
from usage.spool import STRAY_BYTES

# A fact from the spool is news: what lies further from the collector's clock has a wrong one.
OLDEST_US = 5 * 366 * DAY_US
AHEAD_US = DAY_US

# DuckDB takes lines by the combinations of dimensions that are known. So many lines, spread over
# all that are there, are read one by one to learn from; more each time until all are taken.
PROBE = 512
PROBE_GROWTH = 8


@dataclass(frozen=True)
class Counts:
    """How many facts there are, and when the first request of them arrived."""

    records: int
    samples: int
    first_arrival_us: int | None


class Staging:
    """Collects facts until they are committed. `connection` is an engine in memory of its own."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._local_ids: dict[Dimensions, int] = {}
        self._keys: set[tuple[object, ...]] = set()
        self._boots: set[tuple[str, str]] = set()
        self.rejected: list[RejectedLine] = []
        connection.execute(KNOWN_TABLES + EMPTY_TABLES)

    def rejected_rows(self, now_us: int) -> pa.Table:
        """Return the rejected lines as rows of their table; `now_us` is when that was."""
        rows = [{**asdict(line), "rejected_at_us": now_us} for line in self.rejected]
        return pa.Table.from_pylist(rows, REJECTED)

    def clear(self) -> None:
        """Forget all facts. Combinations of dimensions stay known."""
        self.rejected = []
        self._connection.execute(EMPTY_TABLES)

    def add(self, batch: Batch) -> None:
        """Add the facts of `batch`, whose maker has held them to the contract."""
        self.rejected += batch.rejected
        self._add_records(
            batch.records, self._number([of_record(record) for record in batch.records])
        )
        self._add_samples(batch.samples)
        self._add_minutes(batch.minutes)

    def add_chunks(self, chunks: Sequence[Chunk], now_us: int) -> None:
        """Add every line of `chunks`: as a record, as a sample, or as rejected with its reason.

        `now_us` is the time by the collector's clock, to which facts are held.
        """
        self.rejected += [_stray(chunk, chunk.stray) for chunk in chunks if chunk.stray]
        lines = Lines(chunks)
        self._add_one_by_one(lines.not_text, now_us)
        folders = [(i, chunk.node_id, chunk.boot_id) for i, chunk in enumerate(chunks)]
        self._connection.execute("TRUNCATE memory.folder")
        self._insert(
            "folder",
            pa.Table.from_pylist(
                [dict(zip(("folder", "node", "boot"), folder, strict=True)) for folder in folders]
            ),
        )
        for folder, chunk in enumerate(chunks):
            if (chunk.node_id, chunk.boot_id) not in self._boots:
                self._boots.add((chunk.node_id, chunk.boot_id))
                self._learn(self._records_among(lines, lines.spread(folder, PROBE)))
        left = self._take(lines.table, now_us)
        probe = PROBE
        while left:
            step = -(-len(left) // probe)
            learned = self._add_one_by_one([lines[number] for number in left[::step]], now_us)
            left = [number for place, number in enumerate(left) if place % step]
            if left and learned:
                left = self._take(lines.table_of(left), now_us)
            probe *= PROBE_GROWTH

    def counts(self) -> Counts:
        """Return what is staged."""
        [(records, first, samples)] = self._connection.execute(
            """
            SELECT count(*), min(arrived_at_us), (SELECT count(*) FROM memory.staged_sample)
            FROM memory.staged_usage
            """
        ).fetchall()
        return Counts(records, samples, first)

    def close_sums(self) -> None:
        """Add the records up by minute and latency; called once, when all facts are there."""
        self._connection.execute(SUM_MINUTES)
        self._connection.execute(SUM_LATENCIES)

    def _take(self, lines: pa.Table, now_us: int) -> list[int]:
        """Add the lines that DuckDB reads as valid records; return the numbers of the others."""
        if not lines.num_rows:
            return []
        self._connection.register("lines", lines)
        self._connection.execute(
            f"INSERT INTO memory.staged_usage {READ_LINES}",
            {"earliest": now_us - OLDEST_US, "latest": now_us + AHEAD_US},
        )
        self._connection.unregister("lines")
        not_taken = "FROM memory.staged_usage WHERE local_id IS NULL"
        numbers = self._connection.execute(f"SELECT number {not_taken} ORDER BY number").fetchall()
        if numbers:
            self._connection.execute(f"DELETE {not_taken}")
        return [number for (number,) in numbers]

    def _add_one_by_one(self, lines: Iterable[RawLine], now_us: int) -> bool:
        """Add each line as what it is; return whether there was a record among them."""
        records, samples = [], []
        for line in lines:
            try:
                fact = decode_line(line.raw)
                _require_own(fact, line.chunk)
                _require_plausible(fact, now_us)
            except InvalidLineError as error:
                self.rejected.append(_rejected(line.chunk, line.offset, line.raw, str(error)))
                continue
            if isinstance(fact, UsageRecord):
                records.append(fact)
            else:
                samples.append(fact)
        self._add_records(records, self._learn(records))
        self._add_samples(samples)
        return bool(records)

    def _add_records(self, records: Sequence[UsageRecord], local_ids: Sequence[int]) -> None:
        if not records:
            return
        columns = {name: [getattr(record, name) for record in records] for name in MEASURES.names}
        table = pa.table(columns, schema=MEASURES)
        self._insert("staged_usage", table.append_column("local_id", pa.array(local_ids)))

    def _records_among(self, lines: Lines, numbers: Iterable[int]) -> list[UsageRecord]:
        """Return the records among these lines; the lines are not added."""
        records = []
        for line in (lines[number] for number in numbers):
            with suppress(InvalidLineError):
                fact = decode_line(line.raw)
                _require_own(fact, line.chunk)
                if isinstance(fact, UsageRecord):
                    records.append(fact)
        return records

    def _learn(self, records: Sequence[UsageRecord]) -> list[int]:
        """Remember how the dimensions of `records` look in a line; return their numbers."""
        local_ids = self._number([of_record(record) for record in records])
        fresh = []
        for record, local_id in zip(records, local_ids, strict=True):
            key = {name: getattr(record, name) for name in KEY_FIELDS}
            key["labels"] = msgspec.json.encode(record.labels).decode()
            known = tuple(key.values())
            if known not in self._keys:
                self._keys.add(known)
                fresh.append({"local_id": local_id, **key})
        if fresh:
            self._insert("dimension_key", pa.Table.from_pylist(fresh))
        return local_ids

    def _add_samples(self, samples: Sequence[NodeSample]) -> None:
        if not samples:
            return
        names = SAMPLE_COLUMNS.names
        columns = {name: [getattr(sample, name) for sample in samples] for name in names}
        self._insert("staged_sample", pa.table(columns, schema=SAMPLE_COLUMNS))

    def _add_minutes(self, minutes: Sequence[UsageMinute]) -> None:
        if not minutes:
            return
        local_ids = self._number([of_minute(minute) for minute in minutes])
        sums = [
            {
                "local_id": local_id,
                "minute_us": minute.minute_us,
                "batch_size": minute.batch_size,
                "requests": minute.requests,
                "items": minute.items,
                "item_us": minute.item_us,
                "queue_us": minute.queue_us,
                "compute_us": minute.compute_us,
                "total_us": minute.total_us,
                "request_bytes": minute.request_bytes,
                "response_bytes": minute.response_bytes,
                "input_tokens": minute.input_tokens,
                "output_tokens": minute.output_tokens,
            }
            for minute, local_id in zip(minutes, local_ids, strict=True)
        ]
        self._insert("staged_minute", pa.Table.from_pylist(sums))
        counts = [
            {
                "local_id": local_id,
                "minute_us": minute.minute_us,
                "bucket": bucket,
                "requests": requests,
            }
            for minute, local_id in zip(minutes, local_ids, strict=True)
            for bucket, requests in minute.latency.items()
        ]
        if counts:
            self._insert("staged_latency", pa.Table.from_pylist(counts))

    def _number(self, combinations: Sequence[Dimensions]) -> list[int]:
        """Return the number of each combination in `memory.dimension`, new ones added to it."""
        fresh = []
        for combination in combinations:
            if combination not in self._local_ids:
                self._local_ids[combination] = len(self._local_ids) + 1
                fresh.append(combination)
        if fresh:
            rows = [
                {"local_id": self._local_ids[combination], **combination._asdict()}
                for combination in fresh
            ]
            self._insert("dimension", pa.Table.from_pylist(rows, DIMENSION))
        return [self._local_ids[combination] for combination in combinations]

    def _insert(self, table: str, rows: pa.Table) -> None:
        self._connection.register("arrow_rows", rows)
        self._connection.execute(f"INSERT INTO memory.{table} BY NAME FROM arrow_rows")
        self._connection.unregister("arrow_rows")


def _require_own(fact: UsageRecord | NodeSample, chunk: Chunk) -> None:
    if (fact.node_id, fact.boot_id) != (chunk.node_id, chunk.boot_id):
        raise InvalidLineError(
            f"node_id/boot_id is {fact.node_id}/{fact.boot_id}; "
            f"accepted in this folder: {chunk.node_id}/{chunk.boot_id}"
        )


def _require_plausible(fact: UsageRecord | NodeSample, now_us: int) -> None:
    if isinstance(fact, UsageRecord):
        name, at_us = "arrived_at_us", fact.arrived_at_us
    else:
        name, at_us = "sampled_at_us", fact.sampled_at_us
    earliest, latest = now_us - OLDEST_US, now_us + AHEAD_US
    if not earliest <= at_us <= latest:
        raise InvalidLineError(
            f"{name} is {at_us}, a clock is wrong; accepted now: {earliest} to {latest}"
        )


def _stray(chunk: Chunk, stray: Stray) -> RejectedLine:
    return _rejected(chunk, stray.offset, stray.head, stray.reason)


def _rejected(chunk: Chunk, offset: int, raw: bytes, reason: str) -> RejectedLine:
    text = raw[:STRAY_BYTES].decode("utf-8", "backslashreplace")
    return RejectedLine(chunk.node_id, chunk.boot_id, chunk.segment, offset, reason, text)
