"""How unequal the costs of single requests are."""

from collections import defaultdict
from dataclasses import dataclass
from math import floor, log10
from pathlib import Path

from costs import TICKS_PER_USD, Catalogue
from reports.pricing import Pricing
from reports.window import Window, read_frame
from store import EVERYTHING, Filter, open_reader, read_machine_time_spread

MOST_REQUESTS = 200_000
BINS_PER_DECADE = 20


@dataclass(frozen=True)
class CostBin:
    """Executed requests whose direct machine cost is from `from_usd` up to `to_usd`."""

    from_usd: float
    to_usd: float
    requests: int


def load_cost_spread(
    database: Path,
    catalogue: Catalogue,
    window: Window,
    now_us: int,
    where: Filter = EVERYTHING,
) -> list[CostBin]:
    """Return how many of the newest 200,000 or so requests of a window cost how much, ascending.

    Bins are a twentieth of a decade wide. Raises StoreErrors.
    """
    pricing = Pricing(catalogue)
    with open_reader(database) as connection:
        shown = read_frame(connection, window, now_us, where)
        if shown is None:
            return []
        period = shown.period
        found = read_machine_time_spread(connection, period, MOST_REQUESTS, where=where)
    counts: defaultdict[int, int] = defaultdict(int)
    for each in found:
        rate = pricing.rate(each.machine, period.to_us - 1)
        # The middle of the bin, so that prices do not shift counts by a whole bin on average.
        middle_us = (each.from_us * each.to_us) ** 0.5
        if rate:
            counts[floor(BINS_PER_DECADE * log10(rate * middle_us / TICKS_PER_USD))] += (
                each.requests
            )
    return [
        CostBin(10 ** (n / BINS_PER_DECADE), 10 ** ((n + 1) / BINS_PER_DECADE), counts[n])
        for n in sorted(counts)
    ]
