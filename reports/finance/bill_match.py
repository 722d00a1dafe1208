"""The provider's bill beside the charges of a file: what it says, and where the two differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from costs.focus import decimal_text
from costs.invoice import Bill, Cell, Difference, differences
from reports.finance.adjustment import DIFFERENCE, to_cents

ROUNDED = "Cents of the bill"


@dataclass(frozen=True)
class NamedBill:
    """A provider's bill and what it is called: its file, or that it is but a total."""

    name: str
    bill: Bill

    @classmethod
    def of_total(cls, usd: Decimal) -> "NamedBill":
        """Return the bill of which only the total is known."""
        return cls("total", Bill(usd))

    @property
    def is_total(self) -> bool:
        """Whether only the total is known."""
        return not self.bill.cells


@dataclass(frozen=True)
class BillMatch:
    """A bill beside the charges, both in whole cents; `differences` of services sum to that."""

    named: NamedBill
    total_usd: Decimal
    ours_usd: Decimal
    differences: list[Difference]

    @property
    def difference_usd(self) -> Decimal:
        """What the bill has more."""
        return self.total_usd - self.ours_usd

    def as_json(self) -> Mapping[str, object]:
        """Return it as it is written: amounts are texts of exact decimals."""
        return {
            "name": self.named.name,
            "lines": self.named.bill.lines,
            "lines_of_other_periods": self.named.bill.left_out,
            "bill_usd": decimal_text(self.total_usd),
            "charges_usd": decimal_text(self.ours_usd),
            "difference_usd": decimal_text(self.difference_usd),
            "where": [
                {
                    "dimension": each.dimension,
                    "value": each.value,
                    "charges_usd": decimal_text(each.ours),
                    "bill_usd": decimal_text(each.theirs),
                    "difference_usd": decimal_text(each.usd),
                }
                for each in self.differences
            ],
        }


def matched(named: NamedBill, charges_usd: Decimal, cells: Mapping[Cell, Decimal]) -> BillMatch:
    """Return a bill beside charges of `charges_usd`, which are the sum of `cells` but for cents."""
    bill = named.bill
    total = to_cents(bill.total)
    # What was added to match the bill is no charge.
    ours = {cell: usd for cell, usd in cells.items() if cell.service != DIFFERENCE.name}
    theirs = dict(bill.cells)
    if total != bill.total:
        theirs[Cell(ROUNDED, None, None, None)] = total - bill.total
    found = [] if named.is_total else differences(ours, theirs)
    return BillMatch(named, total, to_cents(charges_usd), found)
