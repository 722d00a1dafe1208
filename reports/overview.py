"""The state of the service now: figures of a window, of the one before it, and step by step."""

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from costs import BusyTime, Catalogue, Cost, Machine, Price, direct_cost, machine_cost
from reports.figures import NOTHING, Facts, Figures, figures
from reports.pricing import Pricing
from reports.window import Frame, Window, frame, of_requests, whole
from store import (
    EVERYTHING,
    MINUTE_US,
    BusyTimes,
    Dropped,
    Filter,
    Period,
    StoreState,
    Traffic,
    Uptime,
    open_reader,
    read_busy_times,
    read_dropped,
    read_resolution,
    read_state,
    read_traffic,
    read_uptimes,
)

# What is running now is what ran in the minute that is open and the one before it.
NOW_US = MINUTE_US


@dataclass(frozen=True)
class Fleet:
    """Machines of one kind that ran in the window; `price` is None where none is known."""

    machine: Machine
    price: Price | None
    nodes: int


@dataclass(frozen=True)
class Overview:
    """Everything the Overview page shows.

    `spend_now_usd_per_hour` is what the machines cost that ran at the end of the data, whatever
    the window; None when none did. `previous` is None when less than half of the window
    before is covered by data. `stale_us` is how long before now the window ends because nothing
    newer is stored, 0 when the data is fresh. `dropped` names the nodes that lost facts
    in the window. Requests are those that `where` accepts, machines those that it accepts: their
    cost and their load include what they did for other requests.
    """

    state: StoreState
    period: Period
    stale_us: int
    spend_now_usd_per_hour: float | None
    current: Figures
    previous: Figures | None
    steps: list[tuple[int, Figures]]
    fleets: list[Fleet]
    unmeasured_requests: int
    dropped: list[Dropped]
    step_us: int = MINUTE_US
    where: Filter = EVERYTHING

    @property
    def sliced(self) -> bool:
        """Whether the requests counted are only some of those that the machines ran for."""
        return of_requests(self.where)


def load_overview(
    database: Path,
    catalogue: Catalogue,
    window: Window | None,
    now_us: int,
    where: Filter = EVERYTHING,
) -> Overview | None:
    """Return the overview of the last `window` before `now_us`, of all data when it is None.

    Returns None when the database holds no fact yet. Raises StoreErrors.
    """
    pricing = Pricing(catalogue)
    changes = catalogue.changes()
    with open_reader(database) as connection:
        shown = frame(
            read_state(connection), window, now_us, lambda span: read_resolution(connection, span)
        )
        if shown is None:
            return None
        period, step_us = shown.period, shown.step_us
        both = period if window is None else Period(period.before().from_us, period.to_us)
        open_minute_us = shown.covered[1] // MINUTE_US * MINUTE_US
        latest = whole(
            Period(open_minute_us - NOW_US, open_minute_us + MINUTE_US),
            lambda span: read_resolution(connection, span),
        )
        ran_latest = read_uptimes(connection, latest, latest.length_us, changes, where=where)
        traffic = read_traffic(connection, both, step_us, where=where)
        uptimes = read_uptimes(connection, both, step_us, changes, where=where)
        own = read_busy_times(connection, both, step_us, changes, where=where)
        everything = own
        if of_requests(where):
            everything = read_busy_times(connection, both, step_us, changes, where=where.machines())
        dropped = read_dropped(connection, period, where=where)
    steps = _facts_by_step(both, shown, pricing, traffic, uptimes, own, everything)
    now = {start: facts for start, facts in steps.items() if start >= period.from_us}
    before = [facts for start, facts in steps.items() if start < period.from_us]
    sliced = of_requests(where)
    return Overview(
        state=shown.state,
        period=period,
        stale_us=shown.stale_us,
        spend_now_usd_per_hour=_spend_rate(ran_latest, latest, shown.covered, pricing),
        current=figures(now.values(), sliced=sliced),
        previous=figures(before, sliced=sliced) if before and shown.comparable else None,
        steps=[
            (start, figures([facts], sliced=sliced))
            for start, facts in now.items()
            if facts.covered_us
        ],
        fleets=_fleets([u for u in uptimes if u.from_us >= period.from_us], pricing),
        unmeasured_requests=sum(n for at, n in own.unmeasured.items() if at >= period.from_us),
        dropped=dropped,
        step_us=step_us,
        where=where,
    )


def _spend_rate(
    ran: list[Uptime], period: Period, covered: tuple[int, int], pricing: Pricing
) -> float | None:
    """Return the USD per hour of `ran`, the machine time of as much of `period` as is covered."""
    if not ran:
        return None
    cost = Cost(machine_cost((row.time for row in ran), pricing.rate), 0)
    length_us = min(period.to_us, covered[1]) - max(period.from_us, covered[0])
    return figures([replace(NOTHING, covered_us=length_us, cost=cost)]).spend_usd_per_hour


def _facts_by_step(
    both: Period,
    shown: Frame,
    pricing: Pricing,
    traffic: list[Traffic],
    uptimes: list[Uptime],
    own: BusyTimes,
    everything: BusyTimes,
) -> dict[int, Facts]:
    traffic_at = {row.from_us: row for row in traffic}
    ran_at: dict[int, list[Uptime]] = {}
    for row in uptimes:
        ran_at.setdefault(row.from_us, []).append(row)
    own_at = _direct_by_step(own, pricing)
    direct_at = own_at if everything is own else _direct_by_step(everything, pricing)
    facts = {}
    for start in range(both.from_us, both.to_us, shown.step_us):
        came = traffic_at.get(start, Traffic(start, 0, 0))
        ran = ran_at.get(start, [])
        direct = direct_at.get(start, Fraction(0))
        facts[start] = Facts(
            covered_us=shown.covered_us(start, start + shown.step_us),
            requests=came.requests,
            failures=came.failures,
            latency=Counter(came.latency),
            capacity_us=sum(row.capacity_us for row in ran),
            busy_us=sum(row.busy_us for row in ran),
            cost=Cost(machine=machine_cost((row.time for row in ran), pricing.rate), direct=direct),
            others=direct - own_at.get(start, Fraction(0)),
        )
    return facts


def _direct_by_step(busy: BusyTimes, pricing: Pricing) -> dict[int, Fraction]:
    used_at: dict[int, list[BusyTime]] = {}
    for from_us, time in busy.rows:
        used_at.setdefault(from_us, []).append(time)
    return {start: direct_cost(times, pricing.rate) for start, times in used_at.items()}


def _fleets(uptimes: list[Uptime], pricing: Pricing) -> list[Fleet]:
    nodes: dict[Machine, int] = {}
    for row in uptimes:
        machine = row.time.machine
        nodes[machine] = max(nodes.get(machine, 0), row.nodes)
    return [Fleet(m, pricing.used.get(m), n) for m, n in sorted(nodes.items())]
