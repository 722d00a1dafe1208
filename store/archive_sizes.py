"""How large the archive is, and since when: what storing it costs is derived from."""

import duckdb

from store.period import Period


def read_archive_sizes(
    connection: duckdb.DuckDBPyConnection, period: Period
) -> list[tuple[int, int]]:
    """Return (instant, bytes) of what was added to the archive before the end of `period`.

    Files that were deleted since are not known any more.
    """
    rows = connection.execute(
        """
        SELECT archived_at_us, sum(size_bytes)::BIGINT FROM archive_file
        WHERE archived_at_us < ? GROUP BY ALL ORDER BY ALL
        """,
        [period.to_us],
    ).fetchall()
    return [(at_us, size) for at_us, size in rows]
