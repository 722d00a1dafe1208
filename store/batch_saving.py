"""What batching saved: the worker time of items executed together beside that of one alone."""

from dataclasses import dataclass
from fractions import Fraction

import duckdb

from store.filter import EVERYTHING, Filter
from store.period import Period
from store.selection import chosen
from store.steps import IN_PERIOD, rollup, within


@dataclass(frozen=True)
class BatchSaving:
    """Executed items of one version of a model, on one type of instance.

    `worker_us` is the worker time that they took, those executed on behalf of requests left out.
    `alone_items` of them were executed in a batch of one, and took `alone_us`.
    """

    model: str | None
    model_version: str | None
    instance_type: str | None
    items: int
    worker_us: Fraction
    alone_items: int
    alone_us: int

    @property
    def saved_worker_us(self) -> Fraction | None:
        """Worker time that the same items would have taken one by one, less what they took.

        An estimate: every item alone is taken to need the mean of those that were alone. None
        where none was; negative where batches were slower than their items one by one.
        """
        if not self.alone_items:
            return None
        return Fraction(self.items * self.alone_us, self.alone_items) - self.worker_us


def read_batch_savings(
    connection: duckdb.DuckDBPyConnection, period: Period, *, where: Filter = EVERYTHING
) -> list[BatchSaving]:
    """Return what was executed in `period`, by model, version and instance type."""
    accepted, bound = chosen(
        where, "model", "model_version", "instance_type", "route", machines=True
    )
    rows = connection.execute(
        f"""
        WITH chosen AS ({accepted})
        SELECT
            model, model_version, instance_type, batch_size,
            sum(items)::HUGEINT, sum(item_us)::HUGEINT
        FROM {rollup("usage", period)} JOIN chosen USING (dimension_id)
        WHERE {IN_PERIOD} AND item_us > 0 AND items > 0
        GROUP BY ALL
        ORDER BY ALL
        """,
        {**bound, **within(period)},
    ).fetchall()
    found: dict[tuple[str | None, ...], BatchSaving] = {}
    for *names, batch_size, items, item_us in rows:
        model, version, instance_type = names
        known = found.get(
            tuple(names), BatchSaving(model, version, instance_type, 0, Fraction(0), 0, 0)
        )
        alone = batch_size == 1
        found[tuple(names)] = BatchSaving(
            model,
            version,
            instance_type,
            known.items + items,
            known.worker_us + Fraction(item_us, batch_size),
            known.alone_items + (items if alone else 0),
            known.alone_us + (item_us if alone else 0),
        )
    return list(found.values())
