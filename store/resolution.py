"""How finely a period is stored: by minute, or, where it is older, by hour."""

import duckdb

from store.period import HOUR_US, MINUTE_US, Period
from store.steps import within


def read_resolution(connection: duckdb.DuckDBPyConnection, period: Period) -> int:
    """Return the finest step that is meaningful in `period`, in microseconds.

    Where minutes were rolled up, a whole hour stands at its beginning: finer steps would show it
    as a peak, and a period that begins within an hour does not include that hour.
    """
    [(rolled_up,)] = connection.execute(
        """
        SELECT
            EXISTS (FROM usage_hour WHERE hour_us >= $from AND hour_us < $to)
            OR EXISTS (FROM node_hour WHERE hour_us >= $from AND hour_us < $to)
        """,
        within(period),
    ).fetchall()
    return HOUR_US if rolled_up else MINUTE_US
