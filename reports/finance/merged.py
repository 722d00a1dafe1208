"""Streams of charges in the order of a file, brought together."""

from collections.abc import Iterable
from heapq import merge

from costs.focus import order_of
from reports.finance.charge import Charge, Charges


def merged(*streams: Iterable[Charge]) -> Charges:
    """Yield the charges of `streams`, each of which is in the order of a file, in that order."""
    yield from merge(*streams, key=_order)


def _order(charge: Charge) -> tuple[object, ...]:
    return order_of(charge.row)
