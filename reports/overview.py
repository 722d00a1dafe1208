"""The state of the service now: figures of a window, of the one before it, and step by step."""

from dataclasses import dataclass, replace
from pathlib import Path

from costs import Catalogue, Cost, Machine, Price, machine_cost
from reports.figures import NOTHING, Figures, figures
from reports.pricing import Pricing
from reports.steps import read_steps
from reports.window import Window, of_requests, read_frame, whole
from store import (
    EVERYTHING,
    MINUTE_US,
    Dropped,
    Filter,
    Period,
    StoreState,
    Uptime,
    open_reader,
    read_dropped,
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
        shown = read_frame(connection, window, now_us, where)
        if shown is None:
            return None
        period = shown.period
        open_minute_us = shown.covered[1] // MINUTE_US * MINUTE_US
        latest = whole(connection, Period(open_minute_us - NOW_US, open_minute_us + MINUTE_US))
        ran_latest = read_uptimes(connection, latest, latest.length_us, changes, where=where)
        now = read_steps(connection, shown, period, shown.step_us, pricing, where)
        before = None
        if window is not None and shown.comparable:
            # In one step, which is many times faster to read.
            span = period.before()
            before = read_steps(connection, shown, span, span.length_us, pricing, where)
        dropped = read_dropped(connection, period, where=where)
    sliced = of_requests(where)
    return Overview(
        state=shown.state,
        period=period,
        stale_us=shown.stale_us,
        spend_now_usd_per_hour=_spend_rate(ran_latest, latest, shown.covered, pricing),
        current=figures(now.facts.values(), sliced=sliced),
        previous=None if before is None else figures(before.facts.values(), sliced=sliced),
        steps=[
            (start, figures([facts], sliced=sliced))
            for start, facts in now.facts.items()
            if facts.covered_us
        ],
        fleets=_fleets(now.uptimes, pricing),
        unmeasured_requests=now.unmeasured,
        dropped=dropped,
        step_us=shown.step_us,
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


def _fleets(uptimes: list[Uptime], pricing: Pricing) -> list[Fleet]:
    nodes: dict[Machine, int] = {}
    for row in uptimes:
        machine = row.time.machine
        nodes[machine] = max(nodes.get(machine, 0), row.nodes)
    return [Fleet(m, pricing.used.get(m), n) for m, n in sorted(nodes.items())]
