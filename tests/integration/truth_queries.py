"""Filters, periods and groupings to query the facts of usage_truth by, and a database of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st

from store import (
    MINUTE_US,
    Batch,
    By,
    ByLabel,
    Filter,
    Grouping,
    LoggedRequest,
    Period,
    Totals,
    commit,
)
from store.latency_histogram import bucket_of
from tests.fixtures_usage import MONDAY_US
from tests.integration.usage_truth import (
    CHEAP,
    DEAR,
    HOSTILE,
    MACHINES,
    MINUTES,
    Truth,
    fleet_facts,
    is_request,
    machine_values,
    worker_us,
)
from usage import UsageRecord

# Hypothesis keeps this module beyond the end of DuckDB's, which then complains of leaked types.
if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


TRUTH = Truth(fleet_facts())
ABSENT = "nowhere"


def values_of(name: str) -> list[str | None]:
    found: set[str | None]
    if name == "simulated":
        return ["yes", "no"]
    if name in machine_values("node-1"):
        found = {machine_values(node)[name] for node in MACHINES}
    else:
        found = {getattr(record, name) for record in TRUTH.records}
    return [*sorted(found, key=str), None, ABSENT, HOSTILE]


LABEL_PAIRS: list[tuple[str, str | None]] = [
    ("team", "checkout"), ("team", "search"), ("team", None), ("project", "p1"),
    ("project", "p2"), ("project", None), (HOSTILE, HOSTILE), ("team", "\0"),
]  # fmt: skip


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    """Draw a filter of at most three fields, the empty one included."""
    names = draw(st.lists(st.sampled_from([f.name for f in fields(Filter)]), max_size=3))
    chosen = {}
    for name in names:
        options = LABEL_PAIRS if name == "label" else values_of(name)
        chosen[name] = tuple(draw(st.lists(st.sampled_from(options), min_size=1, max_size=4)))
    return Filter(**chosen)  # type: ignore[arg-type]


FILTERS = filters()
STEPS = st.sampled_from([MINUTE_US, 2 * MINUTE_US, MINUTES * MINUTE_US])


GROUPINGS: st.SearchStrategy[list[Grouping]] = st.lists(
    st.sampled_from([*By, ByLabel("team"), ByLabel(HOSTILE)]), max_size=2, unique=True
)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    """Draw a period that overlaps the facts."""
    begin = draw(st.integers(-1, MINUTES - 1))
    end = draw(st.integers(max(begin, 0) + 1, MINUTES + 1))
    return Period(MONDAY_US + begin * MINUTE_US, MONDAY_US + end * MINUTE_US)


PERIODS = periods()
few = settings(deadline=None, max_examples=20)


@dataclass(frozen=True)
class Stored:
    """The facts, as the store has them."""

    connection: "DuckDBPyConnection"


def store_truth(database: Path) -> None:
    """Store all facts in `database`, in two commits."""
    facts = fleet_facts()
    half = len(facts.records) // 2
    commit(database, Batch(facts.records[:half], facts.samples), now_us=1)
    commit(database, Batch(facts.records[half:]), now_us=2)


def totals(records: Sequence[UsageRecord]) -> Totals:
    """Return the totals of `records`, executions on behalf of requests among them."""
    asked = [record for record in records if is_request(record)]
    return Totals(
        requests=len(asked),
        failures=sum(r.status >= 400 for r in asked),
        executed=sum(r.batch_size > 0 for r in asked),
        items=sum(r.items for r in asked),
        request_bytes=sum(r.request_bytes for r in asked),
        response_bytes=sum(r.response_bytes for r in asked),
        input_tokens=sum(r.input_tokens or 0 for r in asked),
        output_tokens=sum(r.output_tokens or 0 for r in asked),
        queue_us=sum(r.queue_us for r in asked),
        compute_us=sum(r.compute_us for r in asked),
        total_us=sum(r.total_us for r in asked),
        worker_us=pytest.approx(  # type: ignore[arg-type]
            float(sum(map(worker_us, records))), rel=1e-12
        ),
    )


def buckets(records: Sequence[UsageRecord]) -> Counter[int]:
    return Counter(bucket_of(r.total_us) for r in records if is_request(r) and r.status < 400)


def logged_ids(requests: Sequence[LoggedRequest]) -> list[str]:
    return [request.record_id for request in requests]


def at_begin(machine: object, _: int) -> int:
    return {CHEAP: 178_500, DEAR: 706_832}[machine]  # type: ignore[index]
