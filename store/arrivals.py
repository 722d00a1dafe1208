"""Recorded requests as a workload: what a simulation replays."""

import duckdb
import pyarrow as pa

from store.filter import EVERYTHING, Filter
from store.period import Period
from store.selection import IS_REQUEST
from store.steps import within

ARRIVAL_COLUMNS = pa.schema(
    [
        ("arrived_at_us", pa.int64()),
        # None where the input was never read: a request that was refused.
        ("input_digest", pa.uint64()),
        ("items", pa.int32()),
        ("model", pa.string()),
        ("model_version", pa.string()),
        ("variant", pa.string()),
        ("tenant", pa.string()),
        ("priority", pa.string()),
        ("pool", pa.string()),
        ("origin", pa.string()),
        ("client_region", pa.string()),
        ("node_id", pa.string()),
        ("cache", pa.string()),
        ("status", pa.int16()),
        ("queue_us", pa.int64()),
        ("compute_us", pa.int64()),
        ("total_us", pa.int64()),
        ("batch_size", pa.int32()),
        ("request_bytes", pa.int64()),
        ("response_bytes", pa.int64()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
    ]
)
_EXPRESSIONS = {"input_digest": "('0x' || input_digest)::UBIGINT AS input_digest"}
_COLUMNS = ", ".join(_EXPRESSIONS.get(name, name) for name in ARRIVAL_COLUMNS.names)


def read_arrivals(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    *,
    where: Filter = EVERYTHING,
    batch_rows: int = 131_072,
) -> pa.RecordBatchReader:
    """Return the requests of `period` in order of arrival, in batches of ARRIVAL_COLUMNS.

    What was executed on behalf of a request is no arrival. The reader reads from `connection`:
    use it up before the connection is closed or used for anything else.
    """
    accepted = where.condition()
    # Unlike `execute`, a relation hands its rows on without a copy.
    return connection.sql(
        f"""
        SELECT {_COLUMNS}
        FROM usage_record
        WHERE arrived_at_us >= $from AND arrived_at_us < $to AND {accepted.sql} AND {IS_REQUEST}
        ORDER BY arrived_at_us, record_id
        """,
        params={**accepted.bound, **within(period)},
    ).to_arrow_reader(batch_rows)
