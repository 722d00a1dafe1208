"""What bytes cost that enter or leave a machine."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from costs.money import MICRO_USD_PER_USD, TICKS_PER_USD, Ticks

TICKS_PER_MICRO_USD = TICKS_PER_USD // MICRO_USD_PER_USD


@dataclass(frozen=True)
class Transfer:
    """Bytes of requests (`received_bytes`) and answers (`sent_bytes`) of machines in one region.

    `priced_at_us` is an instant with their price; cloud and region are None where nothing is known
    of the machines.
    """

    cloud: str | None
    region: str | None
    priced_at_us: int
    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True)
class BytePrice:
    """A price for `unit_bytes`, such as 10**9, in micro-USD."""

    micro_usd: Ticks
    unit_bytes: int

    def ticks(self, count: int) -> Ticks:
        """Return what `count` bytes cost."""
        return Fraction(self.micro_usd) * count * TICKS_PER_MICRO_USD / self.unit_bytes


TransferRate = Callable[[str | None, str | None, int], tuple[BytePrice, BytePrice]]
"""(cloud, region, instant in microseconds) -> prices of what is received and of what is sent."""


def transfer_cost(transfers: Iterable[Transfer], rate: TransferRate) -> Ticks:
    """Return price x bytes, in ticks. It is linear, so transfers may be added up or split."""
    cost: Ticks = Fraction(0)
    for moved in transfers:
        receiving, sending = rate(moved.cloud, moved.region, moved.priced_at_us)
        cost += receiving.ticks(moved.received_bytes) + sending.ticks(moved.sent_bytes)
    return cost
