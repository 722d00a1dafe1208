"""Lines read by DuckDB, many at a time: those that msgspec accepts, with the same values."""

import json
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from store import Writer, open_reader
from store.database import memory_engine
from store.staging import AHEAD_US, OLDEST_US, Staging
from tests.fixtures_usage import BOOT_ID, MONDAY_US, NODE_ID, SECOND_US, node_sample, usage_record
from usage import (
    Chunk,
    InvalidLineError,
    Line,
    Position,
    UsageRecord,
    decode_line,
    encode_line,
)
from usage.spool import Stray

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=140)
COUNTS = st.one_of(st.integers(0, 2**48), st.integers(-3, 2**63))
UUIDS = st.uuids().map(str)

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "record_id": st.one_of(UUIDS, UUIDS.map(str.upper), st.just("no uuid")),
    "seq": st.integers(0, 2**63),
    "origin": st.sampled_from(["live", "replay", "simulated", "elsewhere"]),
    "model": st.one_of(st.none(), NAMES, st.just("")),
    "tenant": NAMES,
    "labels": st.dictionaries(NAMES, st.text(st.characters(codec="utf-8")), max_size=9),
    "priority": st.sampled_from(["high", "normal", "urgent"]),
    "worker": st.one_of(st.none(), st.integers(-1, 1_000_001)),
    "arrived_at_us": st.one_of(
        st.integers(MONDAY_US - OLDEST_US - 1, MONDAY_US - OLDEST_US + 1),
        st.integers(MONDAY_US + AHEAD_US - 1, MONDAY_US + AHEAD_US + 1),
        st.integers(0, 5 * 10**15),
    ),
    "queue_us": COUNTS,
    "total_us": st.one_of(COUNTS, st.floats(allow_nan=False, allow_infinity=False), st.text()),
    "batch_size": st.integers(-1, 1_000_001),
    "compute_us": st.integers(0, 3),
    "items": st.integers(0, 1_000_001),
    "input_digest": st.one_of(st.none(), st.text("0123456789abcdef", min_size=15, max_size=17)),
    "request_bytes": st.one_of(COUNTS, st.booleans(), st.integers(0, 9).map(str)),
    "output_tokens": st.one_of(st.none(), COUNTS),
    "client_region": st.one_of(st.none(), NAMES, st.integers()),
    "status": st.one_of(st.integers(0, 700), st.just("200")),
    "parent_id": st.one_of(st.none(), UUIDS, st.just("")),
    "schema": st.integers(0, 2),
    "kind": st.sampled_from(["usage_record", "node_sample", "else"]),
    "something_else": st.integers(),
    "node_id": st.just("another"),
}


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """Return a record as a line: often valid, sometimes wrong in one or two ways, or garbage."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=60)).replace(b"\n", b"")
    found: dict[str, Any] = json.loads(encode_line(usage_record()))
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=2)):
        found[name] = draw(FIELDS[name])
    if kind == 1:
        del found[draw(st.sampled_from(sorted(found)))]
    if kind == 2:
        return json.dumps(found, ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")
    try:
        return msgspec.json.encode(found)
    except (UnicodeEncodeError, OverflowError):
        return b"{}"


def chunk_of(raw: list[bytes]) -> Chunk:
    data = b"".join(line + b"\n" for line in raw)
    return Chunk(NODE_ID, BOOT_ID, 1, data, None, Position(), Position(1, len(data)))


def stored(database: Path, raw: list[bytes]) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    """Return the records stored of `raw`, by seq, and the offsets and texts of the rejected."""
    database.unlink(missing_ok=True)
    with closing(Writer(database)) as writer:
        writer.add_chunks([chunk_of(raw)], MONDAY_US)
        writer.commit(now_us=MONDAY_US)
    with open_reader(database) as connection:
        records = connection.execute("FROM usage_record").fetchall()
        names = [column[0] for column in connection.description or []]
        rejected = connection.execute(
            "SELECT byte_offset, line FROM rejected_line WHERE reason <> '' ORDER BY byte_offset"
        ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in records], rejected


def judged(raw: list[bytes]) -> tuple[list[UsageRecord], list[tuple[int, str]]]:
    """Return what msgspec and the rules of a folder say of `raw`."""
    records: list[UsageRecord] = []
    rejected, offset = [], 0
    for line in raw:
        with suppress(InvalidLineError):
            fact = decode_line(line)
            assert isinstance(fact, UsageRecord)
            if (
                fact.node_id == NODE_ID
                and MONDAY_US - OLDEST_US <= fact.arrived_at_us <= MONDAY_US + AHEAD_US
            ):
                records.append(fact)
                offset += len(line) + 1
                continue
        rejected.append((offset, line.decode("utf-8", "backslashreplace")))
        offset += len(line) + 1
    return records, rejected


def comparable(record: dict[str, Any] | UsageRecord) -> str:
    fields = msgspec.to_builtins(record) if isinstance(record, UsageRecord) else dict(record)
    fields = {name: value for name, value in fields.items() if name not in ("schema", "kind")}
    fields["labels"] = sorted(fields["labels"].items())
    return json.dumps({name: fields[name] for name in sorted(fields)}, default=str)


@settings(deadline=None, max_examples=35, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(lines(), min_size=1, max_size=60))
@example([encode_line(usage_record())[:-1]] * 2)
@example([b'{"kind":"usage_record"', b"", b"null", b'"text"', b"[" * 5_000, b"\xff\xfe", b"\r"])
@example([encode_line(usage_record(tenant=f"\x00{i}\u2028\U0001f600")).strip() for i in range(4)])
@example([encode_line(usage_record(labels={"a\\": '"', "\x7f": "\x08"})).strip()] * 3)
def test_what_msgspec_accepts_is_stored_as_it_is_and_everything_else_is_kept_as_rejected(
    tmp_path_factory: pytest.TempPathFactory, raw: list[bytes]
) -> None:
    database = tmp_path_factory.getbasetemp() / "lines.duckdb"
    records, rejected = stored(database, raw)
    expected, refused = judged(raw)
    assert sorted(map(comparable, records)) == sorted(map(comparable, expected))
    assert rejected == refused


EDGES: dict[str, list[Any]] = {
    "": [None, True, 1.5, "1", 1, -1, 0, "", [], {}, "x", 2**63 - 1, 2**63],
    "Uuid": ["0198C0DE-0000-7000-8000-0000000000FF", "0198c0de000070008000-0000000000ff"],
    "Digest": ["00000000000000FF", "00000000000000f", "00000000000000fff", "0000000000000\n"],
    "Name": ["n" * 128, "n" * 129, "\u00e9" * 128, "\u00e9" * 129, "\x00"],
    "Labels": [{"": "x"}, {"x": ""}, {"n" * 129: ""}, {"x": "n" * 129}, {"x": 1}, {"x": None}]
    + [{str(i): "" for i in range(count)} for count in (8, 9)],
}


def bounds(kind: inspect.Type) -> list[int]:
    """Return the values at the bounds of an integer field, and those next to them."""
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    found = [one for one in kinds if isinstance(one, inspect.IntType)]
    return [
        edge + step for one in found for edge in (one.ge, one.le) if edge is not None
        for step in (-1, 0, 1)
    ]  # fmt: skip


def test_every_field_is_held_to_its_bounds_and_its_type(tmp_path: Path) -> None:
    contract = inspect.type_info(UsageRecord)
    assert isinstance(contract, inspect.StructType)
    good: dict[str, Any] = json.loads(encode_line(usage_record()))
    cases = []
    for field in contract.fields:
        name = field.encode_name
        edges = [edge for edges in EDGES.values() for edge in edges]
        cases += [{**good, name: value} for value in [*edges, *bounds(field.type)]]
        cases.append({key: value for key, value in good.items() if key != name})
    raw = [msgspec.json.encode(case) for case in cases]
    plain = msgspec.json.encode(good)
    raw += [b" " + plain, plain + b" ", plain[:-1] + b',"tenant":"shop"}', plain.swapcase()]
    records, rejected = stored(tmp_path / "usage.duckdb", [plain, *raw, plain])
    expected, refused = judged([plain, *raw, plain])
    assert sorted(map(comparable, records)) == sorted(map(comparable, expected))
    assert rejected == refused
    assert min(len(records), len(rejected)) > 80


def test_many_valid_lines_with_bad_ones_between_are_told_apart(tmp_path: Path) -> None:
    raw = []
    for seq in range(1, 20_001):
        record = usage_record(seq=seq, tenant=f"t{seq % 37}", labels={"team": f"{seq % 11}"})
        raw.append(encode_line(record)[:-1])
        if seq % 1_000 == 0:
            raw.append(encode_line(node_sample(node_id="stranger"))[:-1])
            raw.append(raw[-2].replace(b'"seq":', b'"seq":-'))
            raw.append(b"\xf0\x28 not text")
    records, rejected = stored(tmp_path / "usage.duckdb", raw)
    assert sorted(record["seq"] for record in records) == list(range(1, 20_001))
    assert len(rejected) == 60
    offset = 0
    offsets = {}
    for line in raw:
        offsets[offset] = line
        offset += len(line) + 1
    for at, text in rejected:
        assert offsets[at].decode("utf-8", "backslashreplace") == text


@pytest.mark.parametrize("years", [-30, -6, 1, 30])
def test_a_fact_of_a_clock_years_off_is_rejected_with_both_times(
    tmp_path: Path, years: int
) -> None:
    wrong_us = MONDAY_US + years * 366 * 86_400 * SECOND_US
    database = tmp_path / "usage.duckdb"
    facts: list[Line] = [
        usage_record(arrived_at_us=wrong_us), node_sample(sampled_at_us=wrong_us)
    ]  # fmt: skip
    records, rejected = stored(database, [encode_line(fact)[:-1] for fact in facts])
    assert (records, len(rejected)) == ([], 2)
    with open_reader(database) as connection:
        reasons = connection.execute("SELECT reason FROM rejected_line").fetchall()
    assert any("a clock is wrong" in reason or "Expected" in reason for (reason,) in reasons)


def test_a_line_that_is_no_line_keeps_its_head_and_its_reason(tmp_path: Path) -> None:
    stray = Stray(0, b"x" * 2**16, "a line of 5000000 bytes; accepted: at most 1048576")
    chunk = Chunk(NODE_ID, BOOT_ID, 1, b"", stray, Position(), Position(1, 5_000_000))
    database = tmp_path / "usage.duckdb"
    with closing(Writer(database)) as writer:
        writer.add_chunks([chunk], MONDAY_US)
        writer.commit(now_us=MONDAY_US)
    with open_reader(database) as connection:
        found = connection.execute("SELECT strlen(line), reason FROM rejected_line").fetchall()
    assert found == [(2**16, stray.reason)]


def test_lines_leave_no_memory_behind_when_they_are_forgotten(tmp_path: Path) -> None:
    # More rows than DuckDB keeps together.
    count = 150_000
    data = encode_line(usage_record()) * count
    chunk = Chunk(NODE_ID, BOOT_ID, 1, data, None, Position(), Position(1, len(data)))
    engine = memory_engine(tmp_path / "usage.duckdb")
    staging = Staging(engine)
    left = []
    for _ in range(3):
        staging.add_chunks([chunk], MONDAY_US)
        assert staging.counts().records == count
        staging.clear()
        sizes = engine.execute("SELECT memory_usage_bytes FROM duckdb_memory()").fetchall()
        left.append(sum(size for (size,) in sizes))
    engine.close()
    # What is left are the known combinations of dimensions.
    assert all(size < 2**20 for size in left), left
