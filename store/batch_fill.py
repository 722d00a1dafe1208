"""How full the batches were that requests were executed in."""

from dataclasses import dataclass
from fractions import Fraction

import duckdb

from store.filter import EVERYTHING, Filter
from store.period import Period
from store.selection import chosen
from store.steps import IN_PERIOD, STEP, by_step, rollup


@dataclass(frozen=True)
class BatchFill:
    """Executed batches of one step: the items in them, and how many batches that were.

    A request with `items` of a batch of `batch_size` is items / batch_size of a batch. So a batch
    whose requests arrived in two steps, or of which a filter accepts only some, counts in parts,
    and the mean is that of whole batches all the same. `sizes` is items by batch size.
    """

    from_us: int
    sizes: dict[int, int]

    @property
    def items(self) -> int:
        """Items of requests that were executed."""
        return sum(self.sizes.values())

    @property
    def batches(self) -> Fraction:
        """Batches that they were executed in."""
        return sum((Fraction(items, size) for size, items in self.sizes.items()), Fraction(0))

    @property
    def mean_size(self) -> float:
        """Items per batch, of the batches that were executed."""
        return float(self.items / self.batches)


def read_batch_fill(
    connection: duckdb.DuckDBPyConnection,
    period: Period,
    step_us: int,
    *,
    where: Filter = EVERYTHING,
) -> list[BatchFill]:
    """Return the batches of `period` by step, ascending; steps without any are left out.

    Items that were executed on behalf of a request are not counted, though the size of a batch
    that they shared includes them.
    """
    accepted, bound = chosen(where)
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT {STEP} AS from_us, batch_size, sum(items)::BIGINT
        FROM {rollup("usage", period, step_us)} SEMI JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD} AND batch_size > 0 AND items > 0
        GROUP BY ALL
        ORDER BY ALL
        """,
        {**bound, **by_step(period, step_us)},
    ).fetchall()
    steps: dict[int, dict[int, int]] = {}
    for from_us, size, items in rows:
        steps.setdefault(from_us, {})[size] = items
    return [BatchFill(from_us, sizes) for from_us, sizes in steps.items()]
