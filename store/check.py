"""Whether the database holds what it says: raw facts, rollups, archive and sequence agree."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from costs import Machine
from store.archive_views import archive_folder
from store.period import DAY_US, date_of
from usage.record import ON_BEHALF

_ON_BEHALF = ", ".join(repr(route) for route in sorted(ON_BEHALF))


@dataclass(frozen=True)
class Finding:
    """One check: what it is about, whether it holds, and what was counted."""

    check: str
    holds: bool
    text: str


# Day by day: what the raw facts add up to, and what the rollups say. Days from which facts were
# deleted are left out.
_USAGE = f"""
WITH raw AS (
    SELECT
        arrived_at_us // {DAY_US} * {DAY_US} AS day_us,
        count(*) FILTER (route NOT IN ({_ON_BEHALF})) AS requests,
        sum(compute_us::HUGEINT * items) AS item_us,
        sum(compute_us)::HUGEINT AS compute_us,
        coalesce(sum(total_us) FILTER (route NOT IN ({_ON_BEHALF})), 0)::HUGEINT AS total_us,
        coalesce(sum(response_bytes) FILTER (route NOT IN ({_ON_BEHALF})), 0)::HUGEINT
            AS response_bytes,
        coalesce(sum(output_tokens) FILTER (route NOT IN ({_ON_BEHALF})), 0)::HUGEINT
            AS output_tokens
    FROM usage_record WHERE arrived_at_us >= $kept GROUP BY day_us
), rolled AS (
    SELECT
        at_us // {DAY_US} * {DAY_US} AS day_us,
        sum(requests) AS requests,
        sum(item_us) AS item_us,
        sum(compute_us)::HUGEINT AS compute_us,
        sum(total_us)::HUGEINT AS total_us,
        sum(response_bytes)::HUGEINT AS response_bytes,
        sum(output_tokens)::HUGEINT AS output_tokens
    FROM usage_rollup JOIN dimension_set USING (dimension_id)
    WHERE at_us >= $kept AND source = 'record' GROUP BY day_us
), counted AS (
    SELECT at_us // {DAY_US} * {DAY_US} AS day_us, sum(requests) AS by_latency
    FROM latency_rollup JOIN dimension_set USING (dimension_id)
    WHERE at_us >= $kept AND source = 'record' GROUP BY day_us
)
SELECT day_us,
    raw.requests, rolled.requests, by_latency,
    raw.item_us IS NOT DISTINCT FROM rolled.item_us
        AND raw.compute_us IS NOT DISTINCT FROM rolled.compute_us
        AND raw.total_us IS NOT DISTINCT FROM rolled.total_us
        AND raw.response_bytes IS NOT DISTINCT FROM rolled.response_bytes
        AND raw.output_tokens IS NOT DISTINCT FROM rolled.output_tokens
FROM raw FULL JOIN rolled USING (day_us) FULL JOIN counted USING (day_us)
ORDER BY day_us
"""

# Whole boots: a sample may begin on one day and end on the next.
_MACHINE_TIME = """
WITH raw AS (
    SELECT
        node_id, boot_id,
        sum(interval_us)::HUGEINT AS uptime_us,
        sum(busy_us)::HUGEINT AS busy_us
    FROM node_sample GROUP BY node_id, boot_id
), rolled AS (
    SELECT
        node_id, boot_id,
        sum(uptime_us)::HUGEINT AS uptime_us,
        sum(busy_us)::HUGEINT AS busy_us
    FROM node_rollup GROUP BY node_id, boot_id
)
SELECT node_id, boot_id::VARCHAR
FROM raw FULL JOIN rolled USING (node_id, boot_id)
WHERE raw.uptime_us IS DISTINCT FROM rolled.uptime_us
    OR raw.busy_us IS DISTINCT FROM rolled.busy_us
ORDER BY ALL
"""

_GAPS = """
WITH refused AS (
    SELECT node_id, boot_id, count(*) AS lines FROM rejected_line GROUP BY node_id, boot_id
)
SELECT
    boot.node_id, boot.boot_id::VARCHAR,
    seq_max - records AS missing,
    coalesce(records_dropped, 0) AS dropped,
    coalesce(lines, 0) AS rejected
FROM boot LEFT JOIN refused ON refused.node_id = boot.node_id
    AND refused.boot_id = boot.boot_id::VARCHAR
WHERE records > 0 AND seq_max <> records
ORDER BY ALL
"""

_TWICE = """
SELECT count(*) FROM (
    SELECT 1 FROM usage_record WHERE arrived_at_us >= $from AND arrived_at_us < $to
    GROUP BY node_id, boot_id, seq HAVING count(*) > 1
)
"""


def check_database(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Finding]:
    """Yield what was checked, one finding after the other; reads every raw fact that is kept.

    `connection` has the database `path` open for reading.
    """
    yield from _archive(connection, path)
    [(kept_us,)] = connection.execute("SELECT kept_from_us FROM archive_state").fetchall()
    yield from _rollups(connection, kept_us)
    yield _days(connection)
    if kept_us == 0:
        yield _machine_time(connection)
    yield _twice(connection, kept_us)
    yield from _gaps(connection)


def check_prices(
    connection: duckdb.DuckDBPyConnection, is_priced: Callable[[Machine, int], bool]
) -> Finding:
    """Return whether every machine had a price when it was first sampled and when it was last.

    `is_priced` tells whether there is one for a machine at an instant (microseconds).
    """
    rows = connection.execute(
        """
        SELECT cloud, region, instance_type, purchase_option, min(at_us), max(at_us)
        FROM node_rollup GROUP BY ALL ORDER BY ALL
        """
    ).fetchall()
    unpriced = [
        str(Machine(*machine))
        for *machine, first_us, last_us in rows
        if not (is_priced(Machine(*machine), first_us) and is_priced(Machine(*machine), last_us))
    ]
    text = f"{len(rows) - len(unpriced)} of {len(rows)} kinds of machines have a price"
    return Finding("prices", not unpriced, _with("; none for ", text, unpriced))


def _archive(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Finding]:
    folder = archive_folder(path)
    rows = connection.execute("SELECT path, facts FROM archive_file ORDER BY path").fetchall()
    wrong = []
    for name, facts in rows:
        try:
            [(found,)] = connection.execute(
                "SELECT num_rows FROM parquet_file_metadata(?)", [str(folder / name)]
            ).fetchall()
        except duckdb.Error as error:
            wrong.append(f"{name}: {str(error).splitlines()[0]}")
            continue
        if found != facts:
            wrong.append(f"{name}: {found} facts instead of {facts}")
    text = f"{len(rows)} files hold {sum(facts for _, facts in rows)} facts"
    yield Finding("archive", not wrong, _with("; ", text, wrong))


def _rollups(connection: duckdb.DuckDBPyConnection, kept_us: int) -> Iterator[Finding]:
    rows = connection.execute(_USAGE, {"kept": kept_us}).fetchall()
    wrong = [
        f"{date_of(day_us)}: {raw} requests raw, {rolled} rolled up, {by_latency} by latency"
        for day_us, raw, rolled, by_latency, same in rows
        if not (same and (raw or 0) == (rolled or 0) == (by_latency or 0))
    ]
    requests = sum(row[1] or 0 for row in rows)
    text = f"rollups and raw records agree on {requests} requests of {len(rows)} days"
    yield Finding("rollups", not wrong, "; ".join(wrong) if wrong else text)


def _days(connection: duckdb.DuckDBPyConnection) -> Finding:
    differing = [
        table
        for table, sums in (
            (
                "usage",
                "sum(requests), sum(item_us), sum(total_us), sum(response_bytes), "
                "sum(input_tokens), sum(output_tokens)",
            ),
            ("latency", "sum(requests), sum(bucket * requests)"),
            ("node", "sum(uptime_us), sum(capacity_us), sum(busy_us), sum(dropped)"),
        )
        if connection.execute(
            f"SELECT {sums} FROM {table}_hour EXCEPT SELECT {sums} FROM {table}_day"
        ).fetchall()
    ]
    return Finding("days", not differing, _with(" but not of ", "hours and days agree", differing))


def _machine_time(connection: duckdb.DuckDBPyConnection) -> Finding:
    wrong = connection.execute(_MACHINE_TIME).fetchall()
    text = "machine time and samples agree"
    boots = [f"{node}/{boot}" for node, boot in wrong]
    return Finding("machine time", not wrong, _with(" but not of ", text, boots))


def _twice(connection: duckdb.DuckDBPyConnection, kept_us: int) -> Finding:
    days = connection.execute(
        f"SELECT DISTINCT arrived_at_us // {DAY_US} * {DAY_US} FROM usage_record "
        "WHERE arrived_at_us >= ? ORDER BY ALL",
        [kept_us],
    ).fetchall()
    twice = 0
    for (day_us,) in days:
        [(found,)] = connection.execute(_TWICE, {"from": day_us, "to": day_us + DAY_US}).fetchall()
        twice += found
    return Finding("each once", not twice, f"{twice} records are stored more than once")


def _gaps(connection: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    rows = connection.execute(_GAPS).fetchall()
    for node, boot, missing, dropped, rejected in rows:
        explained = missing <= dropped + rejected
        text = (
            f"{node}/{boot}: {missing} records are missing by their sequence; the node dropped "
            f"{dropped} facts, {rejected} lines were rejected"
        )
        yield Finding("sequence", explained, text)
    if not rows:
        yield Finding("sequence", holds=True, text="no record is missing by its sequence")


def _with(joint: str, text: str, names: list[str]) -> str:
    return text + joint + ", ".join(names) if names else text
