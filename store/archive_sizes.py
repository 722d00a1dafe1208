"""How large the archive is, and since when: what storing it costs is derived from."""

import duckdb

from store.period import Period
from store.steps import within


def read_archive_sizes(
    connection: duckdb.DuckDBPyConnection, period: Period
) -> list[tuple[int, int]]:
    """Return (instant, bytes) of what was added to the archive before the end of `period`.

    What was there before it stands at its beginning, in one row however long the history is. Files
    that were deleted since are not known any more.
    """
    rows = connection.execute(
        """
        SELECT greatest(archived_at_us, $from), sum(size_bytes)::BIGINT FROM archive_file
        WHERE archived_at_us < $to GROUP BY ALL ORDER BY ALL
        """,
        within(period),
    ).fetchall()
    return [(at_us, size) for at_us, size in rows]
