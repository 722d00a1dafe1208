"""What was counted and paid for, step by step, from which every stretch of a review is summed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from costs import Components, Ticks, transfer_cost
from reports.byte_pricing import BytePricing
from reports.costs.standing import Standing, read_standing
from reports.figures import Facts, figures
from reports.pricing import Pricing
from reports.steps import read_steps
from reports.weekly.extent import Extent
from reports.weekly.review import Counted
from reports.weekly.simulated import read_simulated_steps, uptime_by_step
from reports.window import Frame
from store import DAY_US, Filter, Period, Reader, StoreState, Uptime, read_transfers


@dataclass(frozen=True)
class Step:
    """What was counted in one step; `known` says whether some machine that ran has a price.

    Machines ran for `uptime_us`; `simulated_us` of it, and `simulated_requests`, are made up.
    """

    facts: Facts
    network: Ticks
    known: bool
    uptime_us: int
    simulated_requests: int
    simulated_us: int


@dataclass(frozen=True)
class Series:
    """Steps by their beginning, and what time alone costs.

    `uptimes` are the machine time of the steps; `unmeasured` requests have no direct cost yet, for
    want of it. `covered` are the first instant that facts are stored for and the one after the
    last, after which nothing is paid for yet.
    """

    steps: Mapping[int, Step]
    standing: Standing
    uptimes: list[Uptime]
    unmeasured: int
    covered: tuple[int, int]

    def counted(self, period: Period) -> Counted | None:
        """Return what was counted in a period of whole steps; None where nothing is stored of it.

        Its sums are those of its steps, to the last digit, and its quantiles are of all its
        requests.
        """
        steps, cost = self._within(period), self.cost(period)
        came = any(step.uptime_us or step.facts.requests for step in steps)
        # Where no machine ran for a while, storage and caches are paid for all the same.
        if not came and (not cost.total or period.to_us <= self.covered[0]):
            return None
        known = cost.total or any(step.known for step in steps)
        return Counted(
            figures=figures(step.facts for step in steps),
            cost=cost if known else None,
            simulated_requests=sum(step.simulated_requests for step in steps),
            simulated=any(step.simulated_requests or step.simulated_us for step in steps),
            measured=any(
                step.facts.requests > step.simulated_requests or step.uptime_us > step.simulated_us
                for step in steps
            ),
        )

    def cost(self, period: Period) -> Components:
        """Return what was paid for in a period of whole steps."""
        steps = self._within(period)
        machines = [step.facts.cost for step in steps]
        paid_to_us = max(period.from_us, min(period.to_us, self.covered[1]))
        return Components(
            compute=sum((cost.direct for cost in machines), Fraction(0)),
            network=sum((step.network for step in steps), Fraction(0)),
            idle=sum((cost.idle for cost in machines), Fraction(0)),
        ) + self.standing.between(period.from_us, paid_to_us)

    def _within(self, period: Period) -> list[Step]:
        return [s for at, s in self.steps.items() if period.from_us <= at < period.to_us]


@dataclass(frozen=True)
class Source:
    """Where a review is read from: an open database, prices, and which machines count."""

    connection: Reader
    state: StoreState
    pricing: Pricing
    bytes_at: BytePricing
    where: Filter


def read_series(source: Source, extent: Extent, pieces: Iterable[tuple[Period, int]]) -> Series:
    """Return the steps of `pieces`, which are periods with the length of their steps, ascending."""
    connection, where = source.connection, source.where
    pieces = list(pieces)
    steps: dict[int, Step] = {}
    uptimes: list[Uptime] = []
    unmeasured = 0
    changes = source.bytes_at.book.changes()
    for period, step_us in pieces:
        shown = Frame(source.state, period, step_us, extent.covered, 0)
        found = read_steps(connection, shown, period, step_us, source.pricing, where)
        moved = read_transfers(connection, period, step_us, changes, where=where)
        ran_us = uptime_by_step(found.uptimes)
        never_ran = read_simulated_steps(connection, period, step_us, where)
        known = {row.from_us for row in found.uptimes if _known(row, source.pricing)}
        for at, facts in found.facts.items():
            network = transfer_cost(moved.get((at, ()), []), source.bytes_at.moved)
            steps[at] = Step(
                facts,
                network,
                known=at in known,
                uptime_us=ran_us[at],
                simulated_requests=never_ran.requests[at],
                simulated_us=never_ran.uptime_us[at],
            )
        uptimes += found.uptimes
        unmeasured += found.unmeasured
    around = Period(pieces[0][0].from_us, pieces[-1][0].to_us)
    standing = read_standing(connection, around, source.pricing, source.bytes_at, where)
    return Series(steps, standing, uptimes, unmeasured, extent.covered)


def read_at_once(source: Source, extent: Extent, period: Period) -> Series:
    """Return `period` in one step, which is many times faster to read than its days."""
    return read_series(source, extent, [(period, period.length_us)])


def days_of(from_us: int, to_us: int) -> list[tuple[Period, int]]:
    """Return the pieces of a series by day: whole days, then what is left of the last one.

    `from_us` is the beginning of a day.
    """
    last_us = to_us // DAY_US * DAY_US
    pieces = (
        (from_us, last_us, DAY_US),
        (last_us, to_us, to_us - last_us),
    )
    return [(Period(begin, end), step_us) for begin, end, step_us in pieces if end > begin]


def days_within(period: Period) -> list[Period]:
    """Return the days of a period that begins with one; the last may be a part of a day."""
    starts = range(period.from_us, period.to_us, DAY_US)
    return [Period(start, min(start + DAY_US, period.to_us)) for start in starts]


def _known(row: Uptime, pricing: Pricing) -> bool:
    return pricing.knows(row.time.machine, row.time.priced_at_us)
