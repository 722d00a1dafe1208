"""Single requests, newest first, each with what its cost is derived from.

What was executed on behalf of a request stands among them: it has a cost.
"""

from dataclasses import dataclass, fields

import duckdb

from costs import BusyTime, Machine
from usage.record import ON_BEHALF


@dataclass(frozen=True)
class LoggedRequest:
    """One stored request, or what was executed on behalf of the request `parent_id`.

    `busy` is None where it used no machine time or none is measured yet.
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

    @property
    def is_request(self) -> bool:
        """Whether somebody asked for it, and got its answer."""
        return self.route not in ON_BEHALF


_FIELDS = [field.name for field in fields(LoggedRequest) if field.name != "busy"]


def read_latest_requests(connection: duckdb.DuckDBPyConnection, limit: int) -> list[LoggedRequest]:
    """Return the `limit` records that arrived last."""
    rows = connection.execute(
        """
        WITH latest AS (
            SELECT *, arrived_at_us - arrived_at_us % 60000000 AS minute_us
            FROM usage_record ORDER BY arrived_at_us DESC, seq DESC LIMIT $limit
        )
        SELECT
            record_id::VARCHAR, arrived_at_us, node_id, model, model_version, variant, tenant,
            priority, cache, batch_size, queue_us, compute_us, total_us, status, error, origin,
            route, parent_id::VARCHAR,
            compute_us > 0 AS executed,
            cloud, region, instance_type, purchase_option,
            compute_us::HUGEINT * items AS item_us, uptime_us, capacity_us
        FROM latest LEFT JOIN node_minute USING (minute_us, node_id, boot_id)
        ORDER BY arrived_at_us DESC, seq DESC
        """,
        {"limit": limit},
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
