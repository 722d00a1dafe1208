"""The tables, and how an older file becomes a current one.

Readers outside the product may rely on `usage_record`, `node_sample` and `rejected_line`; every
other table is the product's own and may change with a migration.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from store.errors import DatabaseUnusableError
from store.migrations import MIGRATIONS


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring the current database, the file `path`, to the newest version.

    Each step and its record are one transaction. Raises DatabaseUnusableError when the file is
    newer than this program.
    """
    version = require_known_version(connection, path)
    for number in range(version + 1, len(MIGRATIONS) + 1):
        with transaction(connection):
            connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_migration (version INTEGER NOT NULL)"
            )
            connection.execute(MIGRATIONS[number - 1])
            connection.execute("INSERT INTO schema_migration VALUES (?)", [number])


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block does to `connection`, or roll it back when the block fails."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        # DuckDB ends a transaction by itself when the file fails under it.
        with suppress(duckdb.TransactionException):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def require_known_version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the version of the current database, the file `path`; 0 when it is empty.

    Raises DatabaseUnusableError when the file is newer than this program, or somebody else's.
    """
    tables = {
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
        ).fetchall()
    }
    if not tables:
        return 0
    if "schema_migration" not in tables:
        raise DatabaseUnusableError(f"{path}: a database, but none of this product's")
    [(version,)] = connection.execute(
        "SELECT coalesce(max(version), 0) FROM schema_migration"
    ).fetchall()
    if version > len(MIGRATIONS):
        raise DatabaseUnusableError(
            f"{path}: schema version {version} is newer than this program's {len(MIGRATIONS)}; "
            "use the version of the product that wrote it, or a later one"
        )
    return int(version)
