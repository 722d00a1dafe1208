"""A provider's bill beside our own charges: its total, and where the two differ."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import NamedTuple

# Bills sum to their total however many lines they have: nothing is rounded on the way.
EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])
# No bill comes to as much, nor is any amount of one given to as many decimals.
MOST_USD, MOST_PLACES = Decimal(10**18), 60


class InvoiceError(ValueError):
    """A bill that cannot be read; the message names file, line, field and what is accepted."""


class Cell(NamedTuple):
    """What an amount is known to be for. None where a side does not say."""

    service: str
    region: str | None
    instance_type: str | None
    day: str | None


@dataclass(frozen=True)
class Bill:
    """Amounts in USD by what they are for; `total` is all of them, `lines` how many there were.

    `left_out` lines are of another period.
    """

    total: Decimal
    lines: int = 0
    left_out: int = 0
    cells: Mapping[Cell, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """One value of one dimension: what we charge for it, and what the bill says."""

    dimension: str
    value: str
    ours: Decimal
    theirs: Decimal

    @property
    def usd(self) -> Decimal:
        """What the bill has more; negative where it has less."""
        return self.theirs - self.ours


def parse_total(text: str) -> Decimal | None:
    """Return the amount that `text` is, None where it is no number.

    Raises InvoiceError for an amount that is no whole number of cents.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) >= MOST_USD or amount != round(amount, 2):
        raise InvoiceError(
            f"the invoice total is {text!r}; accepted: USD with at most two decimals, such as "
            "1234.56, or the name of a file"
        )
    return round(amount, 2)


def differences(ours: Mapping[Cell, Decimal], theirs: Mapping[Cell, Decimal]) -> list[Difference]:
    """Return, dimension by dimension, what differs, the largest difference first.

    The differences of services sum to that of the totals. Of the other dimensions only what both
    sides name is compared: of regions, types and days of the services that both have.
    """
    shared = {cell.service for cell in ours} & {cell.service for cell in theirs}
    found = _by("service", ours, theirs, lambda cell: cell.service)
    near, far = (
        {cell: amount for cell, amount in side.items() if cell.service in shared}
        for side in (ours, theirs)
    )
    found += _by("region", near, far, lambda cell: cell.region)
    found += _by("instance type", near, far, lambda cell: cell.instance_type)
    found += _by("day", near, far, lambda cell: cell.day)
    return found


def _by(
    dimension: str,
    ours: Mapping[Cell, Decimal],
    theirs: Mapping[Cell, Decimal],
    key: Callable[[Cell], str | None],
) -> list[Difference]:
    sums: dict[str, list[Decimal]] = {}
    for side, cells in enumerate((ours, theirs)):
        for cell, amount in cells.items():
            value = key(cell)
            if value is not None:
                both = sums.setdefault(value, [Decimal(0), Decimal(0)])
                both[side] = EXACT.add(both[side], amount)
    found = [
        Difference(dimension, value, near, far)
        for value, (near, far) in sums.items()
        if near != far
    ]
    return sorted(found, key=lambda d: (-abs(d.usd), d.value))
