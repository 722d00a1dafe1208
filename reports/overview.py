"""The state of the service now: figures of a window, of the one before it, and step by step."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from costs import BusyTime, Catalogue, Cost, Machine, Price, direct_cost, machine_cost
from reports.figures import NOTHING, Facts, Figures, figures
from reports.pricing import Pricing
from store import (
    MINUTE_US,
    BusyTimes,
    Dropped,
    Period,
    StoreState,
    Traffic,
    Uptime,
    open_reader,
    read_busy_times,
    read_dropped,
    read_state,
    read_traffic,
    read_uptimes,
)

# Data older than this is not "now" any more.
FRESH_US = 3 * MINUTE_US
# What is running now is what ran in the minute that is open and the one before it.
NOW_US = MINUTE_US


@dataclass(frozen=True)
class Window:
    """How far back to look, and in what steps to draw it."""

    label: str
    length_us: int
    step_us: int


WINDOWS = (
    Window("15 minutes", 15 * MINUTE_US, MINUTE_US),
    Window("1 hour", 60 * MINUTE_US, MINUTE_US),
    Window("6 hours", 360 * MINUTE_US, 5 * MINUTE_US),
    Window("24 hours", 1440 * MINUTE_US, 15 * MINUTE_US),
)


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
    in the window.
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


def load_overview(
    database: Path, catalogue: Catalogue, window: Window | None, now_us: int
) -> Overview | None:
    """Return the overview of the last `window` before `now_us`, of all data when it is None.

    Returns None when the database holds no fact yet. Raises StoreErrors.
    """
    pricing = Pricing(catalogue)
    changes = catalogue.changes()
    with open_reader(database) as connection:
        state = read_state(connection)
        if state.last_fact_us is None or state.first_fact_us is None or state.end_us is None:
            return None
        covered = (state.first_fact_us, state.covered_to_us or state.last_fact_us)
        stale_us = now_us - state.last_fact_us
        fresh = stale_us <= FRESH_US and window is not None
        to_us = -(-(now_us if fresh else state.end_us) // MINUTE_US) * MINUTE_US
        if window is None:
            period = Period(state.first_fact_us // MINUTE_US * MINUTE_US, to_us)
            both, step_us = period, period.length_us
        else:
            period = Period(to_us - window.length_us, to_us)
            both, step_us = Period(period.before().from_us, to_us), window.step_us
        open_minute_us = covered[1] // MINUTE_US * MINUTE_US
        latest = Period(open_minute_us - NOW_US, open_minute_us + MINUTE_US)
        ran_latest = read_uptimes(connection, latest, latest.length_us, changes)
        traffic = read_traffic(connection, both, step_us)
        uptimes = read_uptimes(connection, both, step_us, changes)
        busy = read_busy_times(connection, both, step_us, changes)
        dropped = read_dropped(connection, period)
    steps = _facts_by_step(both, step_us, covered, pricing, traffic, uptimes, busy)
    now = {start: facts for start, facts in steps.items() if start >= period.from_us}
    before = [facts for start, facts in steps.items() if start < period.from_us]
    return Overview(
        state=state,
        period=period,
        stale_us=stale_us if stale_us > FRESH_US else 0,
        spend_now_usd_per_hour=_spend_rate(ran_latest, latest, covered, pricing),
        current=figures(now.values()),
        previous=figures(before) if _comparable(before, period) else None,
        steps=[(start, figures([facts])) for start, facts in now.items() if facts.covered_us],
        fleets=_fleets([u for u in uptimes if u.from_us >= period.from_us], pricing),
        unmeasured_requests=sum(n for at, n in busy.unmeasured.items() if at >= period.from_us),
        dropped=dropped,
    )


def _comparable(before: list[Facts], period: Period) -> bool:
    """Tell whether enough is stored from the window before for a change to mean something."""
    return 2 * sum(facts.covered_us for facts in before) >= period.length_us


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
    period: Period,
    step_us: int,
    covered: tuple[int, int],
    pricing: Pricing,
    traffic: list[Traffic],
    uptimes: list[Uptime],
    busy: BusyTimes,
) -> dict[int, Facts]:
    traffic_at = {row.from_us: row for row in traffic}
    ran_at: dict[int, list[Uptime]] = {}
    for row in uptimes:
        ran_at.setdefault(row.from_us, []).append(row)
    used_at: dict[int, list[BusyTime]] = {}
    for from_us, time in busy.rows:
        used_at.setdefault(from_us, []).append(time)
    facts = {}
    for start in range(period.from_us, period.to_us, step_us):
        came = traffic_at.get(start, Traffic(start, 0, 0))
        ran = ran_at.get(start, [])
        facts[start] = Facts(
            covered_us=max(0, min(start + step_us, covered[1]) - max(start, covered[0])),
            requests=came.requests,
            failures=came.failures,
            latency=Counter(came.latency),
            capacity_us=sum(row.capacity_us for row in ran),
            busy_us=sum(row.busy_us for row in ran),
            cost=Cost(
                machine=machine_cost((row.time for row in ran), pricing.rate),
                direct=direct_cost(used_at.get(start, []), pricing.rate),
            ),
        )
    return facts


def _fleets(uptimes: list[Uptime], pricing: Pricing) -> list[Fleet]:
    nodes: dict[Machine, int] = {}
    for row in uptimes:
        machine = row.time.machine
        nodes[machine] = max(nodes.get(machine, 0), row.nodes)
    return [Fleet(m, pricing.used.get(m), n) for m, n in sorted(nodes.items())]
