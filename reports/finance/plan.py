"""What a finance file will come to, known before its rows are made."""

from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from reports.finance.charge import ZERO, Invoice


@dataclass
class Plan:
    """`billed` is by invoice. `exact_usd` is what its parts come to without rounding quantities:
    machine time, network, storage, cache services, commitments unused.
    """

    billed: dict[Invoice, Decimal] = field(default_factory=dict)
    exact_usd: dict[str, Fraction] = field(default_factory=dict)

    def bill(self, cloud: str, instant_us: int, amount: Decimal) -> None:
        """Add an amount to the invoice that it belongs to."""
        invoice = Invoice.at(cloud, instant_us)
        self.billed[invoice] = self.billed.get(invoice, ZERO) + amount
