"""The costs of a window: read in one go, priced, cut by step and by group."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from costs import (
    CommitmentUse,
    Components,
    Machine,
    PriceBook,
    Sharing,
    Ticks,
    direct_cost,
    machine_cost,
    transfer_cost,
)
from reports.byte_pricing import BytePricing
from reports.costs.flows import Flow, read_flows, saved_flows
from reports.costs.savings import Savings, read_savings
from reports.costs.slices import CostSlice, bear, parts_of, read_shares, read_slices
from reports.costs.standing import Standing, read_standing
from reports.pricing import Pricing
from reports.steps import Steps, read_steps
from reports.window import Frame, Window, of_requests, read_frame
from store import (
    EVERYTHING,
    HOUR_US,
    Dropped,
    Filter,
    Grouping,
    Key,
    Period,
    Reader,
    Retries,
    open_reader,
    read_dropped,
    read_retries,
    read_totals,
    read_transfers,
)

# Retries are found by reading every record.
MOST_FOR_RETRIES = 2_000_000


@dataclass(frozen=True)
class CostReport:
    """Everything the Costs page shows.

    `total` and `steps` are of the requests that `where` accepts, with everything that no request
    causes of the machines that it accepts. `slices`, dearest first, and `apart` add up to that
    total: idle time that nobody bears, storage, caches and commitments. Where `where` speaks of
    requests, the total leaves out what no request causes, nothing stands `apart`, and what slices
    bear is beside the total. `previous` is
    None where less than half of the window before is covered by data. `bought` is machine cost by
    machine. `retries` and what they cost are None where there are too many requests to look for
    them, or their records are not kept any more. `unmeasured` requests have no cost yet: no sample
    of their node is stored for their minute.
    """

    shown: Frame
    where: Filter
    by: tuple[Grouping, ...]
    rule: Sharing
    total: Components
    previous: Components | None
    previous_successes: int
    steps: list[tuple[int, Components]]
    slices: list[CostSlice]
    apart: Ticks
    bought: list[tuple[Machine, Ticks]]
    flows: list[Flow]
    savings: Savings
    commitments: list[CommitmentUse]
    retries: Retries | None
    retried: Ticks | None
    unmeasured: int
    unpriced: tuple[Machine, ...]
    unpriced_bytes: tuple[str, ...]
    dropped: list[Dropped]

    @property
    def sliced(self) -> bool:
        """Whether the requests counted are only some of those that the machines ran for."""
        return of_requests(self.where)

    @property
    def successes(self) -> int:
        """Requests of the window that were answered."""
        return sum(each.totals.successes for each in self.slices)

    @property
    def per_hour(self) -> list[tuple[int, Components]]:
        """The cost of each step by its beginning, in ticks per hour that facts are stored for.

        Steps that begin after the newest fact are left out: they are not zero, but not known yet.
        """
        found = []
        for start, parts in self.steps:
            if start >= self.shown.covered[1]:
                continue
            covered_us = self.shown.covered_us(start, start + self.shown.step_us)
            # Before the first fact there may be storage to pay for, and nothing else.
            hours = Fraction(covered_us or self.shown.step_us, HOUR_US)
            found.append((start, parts.times(1 / hours)))
        return found

    @property
    def failed(self) -> Ticks:
        """What failed requests caused."""
        return sum((each.failed for each in self.slices), Fraction(0))


def load_costs(
    database: Path,
    book: PriceBook,
    window: Window | None,
    now_us: int,
    where: Filter = EVERYTHING,
    by: Sequence[Grouping] = (),
    rule: Sharing = Sharing.SEPARATE,
    owner: Key | None = None,
) -> CostReport | None:
    """Return the costs of the last `window` before `now_us`, of all data when it is None.

    Returns None when the database holds no fact yet. Raises StoreErrors.
    """
    reading = _Reading(Pricing(book.machines), BytePricing(book), where)
    pricing, bytes_at = reading.pricing, reading.bytes_at
    with open_reader(database) as connection:
        shown = read_frame(connection, window, now_us, where)
        if shown is None:
            return None
        period = shown.period
        steps, standing, sums = reading.components(connection, shown, period, shown.step_us)
        previous, successes = None, 0
        if window is not None and shown.comparable:
            before = period.before()
            _, _, earlier = reading.components(connection, shown, before, before.length_us)
            previous = _whole(earlier)
            successes = read_totals(connection, before, where=where).successes
        own = read_slices(connection, period, by, pricing, bytes_at, where)
        everything = own
        if of_requests(where):
            everything = read_slices(connection, period, by, pricing, bytes_at, where.machines())
        ran = machine_cost((row.time for row in steps.uptimes), pricing.rate)
        idle = ran - sum((each.compute for each in everything), Fraction(0))
        shares = read_shares(connection, period, by, pricing, where.machines(), rule, owner, idle)
        flows = read_flows(connection, period, steps.uptimes, pricing, where)
        savings = read_savings(connection, period, pricing, where)
        dropped = read_dropped(connection, period, where=where)
        retries = None
        if sum(each.totals.requests for each in own) <= MOST_FOR_RETRIES:
            changes = pricing.catalogue.changes()
            retries = read_retries(connection, period, changes, where=where)
    slices = bear(everything, shares)
    apart = shares.apart + standing.between(period.from_us, period.to_us).total
    if of_requests(where):
        slices, apart = parts_of(own, slices), Fraction(0)
    else:
        # Beside flows of all requests, what some of them saved would be no picture.
        flows += saved_flows(savings.cached_by_model)
    return CostReport(
        shown=shown,
        where=where,
        by=tuple(by),
        rule=rule,
        total=_whole(sums),
        previous=previous,
        previous_successes=successes,
        steps=sums,
        slices=slices,
        apart=apart,
        bought=_bought(steps, pricing),
        flows=flows,
        savings=savings,
        commitments=standing.uses(period.from_us, period.to_us),
        retries=retries,
        retried=None if retries is None else direct_cost(retries.busy, pricing.rate),
        unmeasured=steps.unmeasured,
        unpriced=tuple(sorted(pricing.missing)),
        unpriced_bytes=tuple(sorted(bytes_at.missing)),
        dropped=dropped,
    )


@dataclass(frozen=True)
class _Reading:
    """The database and the prices, looked at with one filter."""

    pricing: Pricing
    bytes_at: BytePricing
    where: Filter

    def components(
        self, connection: Reader, shown: Frame, period: Period, step_us: int
    ) -> tuple[Steps, Standing, list[tuple[int, Components]]]:
        """Return what `period` cost, by step, and what that was made of."""
        steps = read_steps(connection, shown, period, step_us, self.pricing, self.where)
        changes = self.bytes_at.book.changes()
        moved = read_transfers(connection, period, step_us, changes, where=self.where)
        standing = read_standing(
            connection, period, self.pricing, self.bytes_at, self.where.machines()
        )
        sliced = of_requests(self.where)
        found = []
        for start, step in steps.facts.items():
            parts = Components(
                compute=step.cost.direct - step.others,
                network=transfer_cost(moved.get((start, ()), []), self.bytes_at.moved),
            )
            if not sliced:
                end_us = min(start + step_us, period.to_us)
                parts += Components(idle=step.cost.idle) + standing.between(start, end_us)
            found.append((start, parts))
        return steps, standing, found


def _whole(steps: Iterable[tuple[int, Components]]) -> Components:
    return sum((found for _, found in steps), Components())


def _bought(steps: Steps, pricing: Pricing) -> list[tuple[Machine, Ticks]]:
    """Return the machine cost by machine, dearest first."""
    cost: dict[Machine, Ticks] = defaultdict(int)
    for row in steps.uptimes:
        cost[row.time.machine] += machine_cost([row.time], pricing.rate)
    return sorted(cost.items(), key=lambda item: (-item[1], item[0]))
