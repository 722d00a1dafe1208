"""How many bytes came and went, and where: what network cost is derived from."""

from collections.abc import Mapping, Sequence

import duckdb

from costs import Transfer
from store.filter import EVERYTHING, Filter
from store.grouping import Grouping, Key, key_columns, key_names
from store.period import Period
from store.selection import chosen
from store.steps import IN_PERIOD, STEP, by_step, price_begin, priced_rollup


def read_transfers(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    price_changes: Sequence[int],
    by: Sequence[Grouping] = (),
    *,
    where: Filter = EVERYTHING,
) -> Mapping[tuple[int, Key], list[Transfer]]:
    """Return the bytes of requests by (beginning of step, values of the groupings `by`).

    `price_changes` are the instants (ascending, the first 0) at which some price begins; every
    transfer has one price. What was executed on behalf of a request sends nothing to anybody.
    """
    keys, key_bound = key_columns(by)
    accepted, bound = chosen(where, *keys, "cloud", "region", machines=True)
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT
            {", ".join((f"{STEP} AS from_us", *key_names(by)))},
            cloud, region,
            {price_begin("at_us", period, price_changes)} AS priced_at_us,
            sum(request_bytes)::HUGEINT,
            sum(response_bytes)::HUGEINT
        FROM {priced_rollup("usage", period, step_us, price_changes)}
        JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD}
        GROUP BY ALL
        HAVING sum(request_bytes) > 0 OR sum(response_bytes) > 0
        ORDER BY ALL
        """,
        {**bound, **key_bound, **by_step(period, step_us)},
    ).fetchall()
    found: dict[tuple[int, Key], list[Transfer]] = {}
    size = len(by)
    for from_us, *row in rows:
        group = from_us, tuple(row[:size])
        found.setdefault(group, []).append(Transfer(*row[size:]))
    return found
