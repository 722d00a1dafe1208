"""Single requests, newest first, each with what its cost is derived from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import duckdb

from costs import BusyTime, Machine
from store.filter import EVERYTHING, Filter
from store.period import HOUR_US, MINUTE_US, Period
from store.resolution import read_resolution
from store.selection import chosen
from usage.record import ON_BEHALF


@dataclass(frozen=True)
class LoggedRequest:
    """One stored request, or what was executed on behalf of the request `parent_id`.

    `busy` is None where it used no machine time or none is measured yet. Where the minutes of its
    hour were rolled up, a worker's share of the machine is that of the hour.
    """

    record_id: str
    arrived_at_us: int
    node_id: str
    model: str | None
    model_version: str | None
    variant: str | None
    tenant: str
    priority: str
    cache: str
    batch_size: int
    queue_us: int
    compute_us: int
    total_us: int
    status: int
    error: str | None
    origin: str
    route: str
    parent_id: str | None
    executed: bool
    busy: BusyTime | None
    items: int = 1
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_request(self) -> bool:
        """Whether somebody asked for it, and got its answer."""
        return self.route not in ON_BEHALF


_FIELDS = [field.name for field in fields(LoggedRequest) if field.name != "busy"]

# Of a table of records: each with the machine time of its minute.
MEASURED = f"""
    SELECT
        records.*,
        coalesce(minutes.cloud, hours.cloud) AS cloud,
        coalesce(minutes.region, hours.region) AS region,
        coalesce(minutes.instance_type, hours.instance_type) AS instance_type,
        coalesce(minutes.purchase_option, hours.purchase_option) AS purchase_option,
        coalesce(minutes.uptime_us, hours.uptime_us) AS uptime_us,
        coalesce(minutes.capacity_us, hours.capacity_us) AS capacity_us
    FROM records
    LEFT JOIN node_minute AS minutes
        ON minutes.minute_us = records.arrived_at_us - records.arrived_at_us % {MINUTE_US}
        AND minutes.node_id = records.node_id AND minutes.boot_id = records.boot_id
    LEFT JOIN node_hour AS hours
        ON hours.hour_us = records.arrived_at_us - records.arrived_at_us % {HOUR_US}
        AND hours.node_id = records.node_id AND hours.boot_id = records.boot_id
"""

# How far before the newest arrival the latest requests are looked for: first here, then there.
_LOOK_BACK_US = (2 * HOUR_US, 7 * 24 * HOUR_US, 2**62)

_COLUMNS = """
    record_id::VARCHAR, arrived_at_us, node_id, model, model_version, variant, tenant,
    priority, cache, batch_size, queue_us, compute_us, total_us, status, error, origin,
    route, parent_id::VARCHAR, compute_us > 0 AS executed, items, labels,
    cloud, region, instance_type, purchase_option,
    compute_us::HUGEINT * items AS item_us, uptime_us, capacity_us
"""


def read_latest_requests(
    connection: duckdb.DuckDBPyConnection,
    limit: int,
    *,
    where: Filter = EVERYTHING,
    period: Period | None = None,
) -> list[LoggedRequest]:
    """Return the `limit` records that arrived last, newest first; those of `period` where given.

    What was executed on behalf of a request stands among them: it has a cost.
    """
    found = period_of_latest(connection, limit, where, period)
    if found is None:
        return []
    accepted = where.condition()
    return select_requests(
        connection,
        f"""
        SELECT * FROM usage_record
        WHERE arrived_at_us >= $from AND arrived_at_us < $to AND {accepted.sql}
        ORDER BY arrived_at_us DESC, seq DESC, record_id LIMIT $limit
        """,
        {**accepted.bound, "from": found[0], "to": found[1], "limit": limit},
        order="arrived_at_us DESC, seq DESC, record_id",
    )


def select_requests(
    connection: duckdb.DuckDBPyConnection,
    records: str,
    bound: Mapping[str, object],
    *,
    order: str,
) -> list[LoggedRequest]:
    """Return what the query `records` selects from `usage_record`, ordered by `order`."""
    rows = connection.execute(
        f"""
        WITH records AS MATERIALIZED ({records}), measured AS ({MEASURED})
        SELECT {_COLUMNS} FROM measured ORDER BY {order}
        """,
        dict(bound),
    ).fetchall()
    requests = []
    for *columns, cloud, region, instance, option, item_us, uptime, capacity in rows:
        found = dict(zip(_FIELDS, columns, strict=True))
        busy = None
        if found["executed"] and capacity:
            machine = Machine(cloud, region, instance, option)
            busy = BusyTime(
                machine, found["arrived_at_us"], item_us, found["batch_size"], uptime, capacity
            )
        requests.append(LoggedRequest(**found, busy=busy))
    return requests


def period_of_latest(
    connection: duckdb.DuckDBPyConnection, limit: int, where: Filter, period: Period | None
) -> tuple[int, int] | None:
    """Return a stretch that holds the `limit` latest records, None where there is no record.

    Rollups are few, records many: records are read from the minute on from which the rollups count
    `limit` requests. Where no period is given, the newest rollups are looked at first.
    """
    if period is not None:
        # At the edges an hour may reach beyond the period: it is looked at, and not counted.
        from_us, to_us = period.from_us, period.to_us
        stretch = Period(from_us // HOUR_US * HOUR_US, to_us)
        whole = from_us, to_us - read_resolution(connection, stretch)
        found = _counted_back(connection, limit, where, (stretch.from_us, to_us), whole)
        return found and (max(found[0], from_us), min(found[1], to_us))
    [(last_us,)] = connection.execute("SELECT max(last_arrival_us) FROM boot").fetchall()
    if last_us is None:
        return None
    for length_us in _LOOK_BACK_US:
        back = last_us - length_us, last_us
        found = _counted_back(connection, limit, where, back, back)
        if found and found[2]:
            break
    return found and found[:2]


def _counted_back(
    connection: duckdb.DuckDBPyConnection,
    limit: int,
    where: Filter,
    looked_at: tuple[int, int],
    counted: tuple[int, int],
) -> tuple[int, int, bool] | None:
    """Return beginning and end of the latest rollups with `limit` requests, and whether there are
    as many; None where there is none.

    Rollups that begin from `looked_at[0]` to `looked_at[1]` are looked at, those from `counted[0]`
    to `counted[1]` are counted. What a source counts without records has none to read.
    """
    accepted, bound = chosen(where, condition="source = 'record'")
    [(first_us, last_us, enough)] = connection.execute(
        f"""
        WITH chosen AS ({accepted}), summed AS (
            SELECT at_us, sum(requests) FILTER (at_us BETWEEN $first AND $last) AS requests
            FROM usage_rollup SEMI JOIN chosen USING (dimension_id)
            WHERE at_us BETWEEN $from AND $to
            GROUP BY at_us
        ), running AS (
            SELECT at_us, sum(requests) OVER (ORDER BY at_us DESC) AS so_far FROM summed
        )
        SELECT
            coalesce(max(at_us) FILTER (so_far >= $limit), min(at_us)),
            max(at_us) + {HOUR_US},
            coalesce(max(so_far) >= $limit, FALSE)
        FROM running
        """,
        {
            **bound,
            "limit": limit,
            "from": looked_at[0],
            "to": looked_at[1],
            "first": counted[0],
            "last": counted[1],
        },
    ).fetchall()
    return None if first_us is None else (first_us, last_us, enough)
