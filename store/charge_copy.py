"""The sums that charges are derived from: copied out of the database, and brought together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from costs.focus import IDLE_APP
from store.archive_views import escaped
from store.errors import StoreError
from store.filter import MACHINE_FIELDS, Filter
from store.period import HOUR_US, Period
from store.selection import chosen
from store.steps import IN_PERIOD, STEP, by_step, price_begin, priced_rollup

MACHINE = ", ".join(MACHINE_FIELDS)
# What requests are told apart by.
USE = "model, model_version, variant, tenant, labels, origin, failed"
SUMS = ("requests", "input_tokens", "output_tokens", "request_bytes", "response_bytes")
# What worker time becomes machine time by.
_SHARE = "batch_size, share_uptime, share_capacity"
# Rounded down of sums that are the same by the minute, the hour and the day: when older minutes
# become hours, a file stays the same. More than 2^62, which are 146 years, is no weight.
_MACHINE_NS = f"""
    CASE WHEN share_capacity > 0
        THEN least(sum(item_us) * 1000 * share_uptime // (share_capacity * batch_size), {2**62})
    END::BIGINT AS machine_ns
"""
# In one order, without those that repeat the tenant or the model: they tell no requests apart.
# Nor can a label make what was used look like idle time.
_LABELS = f"""
    to_json(map_from_entries(list_sort(list_filter(map_entries(labels), lambda label: NOT (
        label.key = 'tenant' AND label.value = tenant
        OR label.key = 'app' AND label.value IN (coalesce(model, '{IDLE_APP}'), '{IDLE_APP}')
    )))))::VARCHAR AS labels
"""


def copy_facts(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    period: Period,
    step_us: int,
    changes: Sequence[int],
    where: Filter,
) -> None:
    """Copy rollups as they are into files in `folder`, no more than cut to the period.

    Nobody can write meanwhile. Of `where` only what it says of machines counts.
    """
    accepted, bound = chosen(where.machines())
    machines = where.machine_condition()
    priced_at = price_begin("at_us", period, changes)
    at = f"greatest({STEP}, {priced_at}) AS from_us, {priced_at} AS priced_at_us"
    stepped = by_step(period, step_us)
    mine = f"WHERE {IN_PERIOD} AND dimension_id IN (FROM ({accepted}))"
    # A file has no integer beyond 2^63 but as a decimal.
    for name, sql, parameters in (
        (
            "usage",
            f"""
            SELECT {at}, dimension_id, {", ".join(SUMS)}
            FROM {priced_rollup("usage", period, step_us, changes)} {mine}
            """,
            {**bound, **stepped},
        ),
        (
            "busy",
            f"""
            SELECT {at}, dimension_id, requests, item_us::DECIMAL(38, 0) AS item_us, {_SHARE}
            FROM {priced_rollup("busy", period, step_us, changes)} {mine}
            """,
            {**bound, **stepped},
        ),
        (
            "node",
            # By hours, since a commitment is used or lost by the hour.
            f"""
            SELECT {at}, at_us - at_us % {HOUR_US} AS hour_us, node_id, {MACHINE}, uptime_us
            FROM {priced_rollup("node", period, HOUR_US, changes)}
            WHERE {IN_PERIOD} AND uptime_us > 0 AND {machines.sql}
            """,
            {**machines.bound, **stepped},
        ),
        ("dimension", "FROM dimension_set", {}),
        ("boot", "FROM boot", {}),
    ):
        copy = f"COPY ({sql}) TO '{file_of(folder, name)}' (FORMAT parquet)"
        with full_disk_named(folder):
            connection.execute(copy, parameters)


def bring_together(engine: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the views `node`, of machines, and `used`, of what requests did on them, of the copy."""
    engine.execute(
        f"""
    CREATE TABLE kind AS
    SELECT
        dimension_id, node_id, {MACHINE}, model, model_version, variant, tenant,
        {_LABELS}, origin, status >= 400 AS failed
    FROM '{file_of(folder, "dimension")}' LEFT JOIN '{file_of(folder, "boot")}'
        USING (node_id, boot_id);
    CREATE VIEW node AS FROM '{file_of(folder, "node")}';
    CREATE VIEW used AS
    SELECT
        from_us, priced_at_us, node_id, {MACHINE}, {USE}, {", ".join(SUMS)},
        machine_ns, unmeasured
    FROM (
        SELECT
            from_us, priced_at_us, dimension_id, {", ".join(SUMS)},
            0 AS machine_ns, 0 AS unmeasured
        FROM '{file_of(folder, "usage")}'
        UNION ALL BY NAME
        SELECT
            from_us, priced_at_us, dimension_id,
            {", ".join(f"0 AS {name}" for name in SUMS)},
            coalesce(machine_ns, 0) AS machine_ns,
            CASE WHEN machine_ns IS NULL THEN requests ELSE 0 END AS unmeasured
        FROM (
            SELECT
                from_us, priced_at_us, dimension_id, sum(requests)::BIGINT AS requests,
                {_MACHINE_NS}
            FROM (SELECT * REPLACE (item_us::HUGEINT AS item_us) FROM '{file_of(folder, "busy")}')
            GROUP BY from_us, priced_at_us, dimension_id, {_SHARE}
        )
    ) JOIN kind USING (dimension_id);
    """
    )


def file_of(folder: Path, name: str) -> str:
    """Return the file of the copy called `name`, as it stands between quotes in SQL."""
    return escaped(folder / f"{name}.parquet")


@contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Tell a folder for temporary files that takes no more from a database that is damaged."""
    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        reason = str(error).splitlines()[0]
        raise StoreError(f"{folder}: no room for temporary files: {reason}") from error
