"""One run of an ingest, in a process of its own: `python -m benchmarks.ingest_run HOW SPOOL FILE`.

HOW is `collector`, or `bare` for what DuckDB does by itself with the same lines and columns.
"""

import os
import resource
import sys
import time
from pathlib import Path

import duckdb
import msgspec
import pandas as pd
from msgspec import Struct

from collectors.tailer import Tailer
from store.database import CONFIG

COLUMNS = {
    "record_id": "UUID",
    "node_id": "VARCHAR",
    "boot_id": "UUID",
    "seq": "BIGINT",
    "origin": "VARCHAR",
    "model": "VARCHAR",
    "model_version": "VARCHAR",
    "variant": "VARCHAR",
    "tenant": "VARCHAR",
    "labels": "MAP(VARCHAR, VARCHAR)",
    "priority": "VARCHAR",
    "pool": "VARCHAR",
    "worker": "INTEGER",
    "arrived_at_us": "BIGINT",
    "queue_us": "BIGINT",
    "compute_us": "BIGINT",
    "total_us": "BIGINT",
    "batch_id": "BIGINT",
    "batch_size": "INTEGER",
    "cache": "VARCHAR",
    "input_digest": "VARCHAR",
    "request_bytes": "BIGINT",
    "response_bytes": "BIGINT",
    "items": "INTEGER",
    "input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "client_region": "VARCHAR",
    "status": "SMALLINT",
    "error": "VARCHAR",
    "route": "VARCHAR",
    "parent_id": "UUID",
}


# pyarrow imports it with the first array that it makes: here with the imports, which do not count.
PANDAS = pd.__version__


class Run(Struct, frozen=True):
    """What came of it: seconds of work, imports not counted, and the highest resident memory."""

    records: int
    seconds: float
    cpu_s: float
    highest_mib: float
    file_mib: float


def _collector(spool: Path, database: Path) -> int:
    tailer = Tailer(spool, database, lambda: time.time_ns() // 1000)
    tailer.collect_all()
    tailer.close()
    return tailer.collected.records


def _bare(spool: Path, database: Path) -> int:
    with duckdb.connect(str(database), config=CONFIG) as connection:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        connection.execute(f"CREATE TABLE usage ({columns})")
        [(records,)] = connection.execute(
            "INSERT INTO usage SELECT * FROM read_json($files, format = 'newline_delimited', "
            "columns = $columns)",
            {"files": str(spool / "*/*/*.ndjson"), "columns": COLUMNS},
        ).fetchall()
        return int(records)


def main() -> None:
    """Do it and print a Run as JSON."""
    how, spool, database = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    cpu, started = os.times(), time.perf_counter()
    records = {"collector": _collector, "bare": _bare}[how](spool, database)
    seconds, after = time.perf_counter() - started, os.times()
    print(
        msgspec.json.encode(
            Run(
                records,
                seconds,
                after.user + after.system - cpu.user - cpu.system,
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                database.stat().st_size / 2**20,
            )
        ).decode()
    )


if __name__ == "__main__":
    main()
