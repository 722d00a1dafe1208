"""Tokens in the rollups, and which runs of nodes were made up."""

_SUMS = """
    requests, items, item_us, queue_us, compute_us, total_us, request_bytes, response_bytes,
    input_tokens, output_tokens
"""


def _view(name: str, coarse: str) -> str:
    return f"""
    CREATE OR REPLACE VIEW {name} AS
    SELECT minute_us AS at_us, dimension_id, batch_size, {_SUMS} FROM usage_minute
    UNION ALL
    SELECT {coarse}_us, dimension_id, batch_size, {_SUMS} FROM usage_{coarse};
    """


def _columns(table: str) -> str:
    return "".join(
        f"""
        ALTER TABLE {table} ADD COLUMN {name} BIGINT DEFAULT 0;
        ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL;
        """
        for name in ("input_tokens", "output_tokens")
    )


# Sums over requests that have tokens. Rollups of before know none, but for minutes of which the
# records are kept; `collectors rebuild` makes the others anew from the archive.
# A boot is simulated when a record of it is: its machine never ran.
TOKENS = f"""
{_columns("usage_minute")}
{_columns("usage_hour")}
{_columns("usage_day")}
UPDATE usage_minute AS known SET
    input_tokens = counted.input_tokens,
    output_tokens = counted.output_tokens
FROM (
    SELECT
        arrived_at_us - arrived_at_us % 60000000 AS minute_us,
        dimension_id,
        batch_size,
        coalesce(sum(input_tokens), 0)::BIGINT AS input_tokens,
        coalesce(sum(output_tokens), 0)::BIGINT AS output_tokens
    FROM usage_record_hot JOIN dimension_set USING (dimension_id)
    WHERE route NOT IN ('cascade_attempt', 'shadow')
    GROUP BY ALL
) AS counted
WHERE known.minute_us = counted.minute_us
    AND known.dimension_id = counted.dimension_id
    AND known.batch_size = counted.batch_size;
{_view("usage_rollup", "hour")}
{_view("usage_daily", "day")}

ALTER TABLE boot ADD COLUMN simulated BOOLEAN DEFAULT FALSE;
ALTER TABLE boot ALTER COLUMN simulated SET NOT NULL;
UPDATE boot SET simulated = TRUE
WHERE (node_id, boot_id) IN (
    SELECT node_id, boot_id FROM dimension_set WHERE origin = 'simulated'
);
"""
