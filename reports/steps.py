"""What was counted in a period, step by step, and what it cost: read and put together."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from costs import BusyTime, Cost, Ticks, direct_cost, machine_cost
from reports.figures import Facts
from reports.pricing import Pricing
from reports.window import Frame, of_requests
from store import (
    BusyTimes,
    Filter,
    Period,
    Reader,
    Traffic,
    Uptime,
    read_busy_times,
    read_traffic,
    read_uptimes,
)


@dataclass(frozen=True)
class Steps:
    """The facts of every step of a period, by its beginning, and the machine time they come from.

    `unmeasured` requests have no cost yet: no sample of their node is stored for their minute.
    """

    facts: Mapping[int, Facts]
    uptimes: list[Uptime]
    unmeasured: int


def read_steps(
    connection: Reader,
    shown: Frame,
    period: Period,
    step_us: int,
    pricing: Pricing,
    where: Filter,
) -> Steps:
    """Return the facts of `period`, which is stored as far as `shown` says, in steps of `step_us`.

    Requests are those that `where` accepts, machines those that it accepts.
    """
    changes = pricing.catalogue.changes()
    traffic = {row.from_us: row for row in read_traffic(connection, period, step_us, where=where)}
    uptimes = read_uptimes(connection, period, step_us, changes, where=where)
    own = read_busy_times(connection, period, step_us, changes, where=where)
    own_at = all_at = _direct_by_step(own, pricing)
    if of_requests(where):
        everything = read_busy_times(connection, period, step_us, changes, where=where.machines())
        all_at = _direct_by_step(everything, pricing)
    ran_at: dict[int, list[Uptime]] = {}
    for row in uptimes:
        ran_at.setdefault(row.from_us, []).append(row)
    facts = {}
    for start in range(period.from_us, period.to_us, step_us):
        came = traffic.get(start, Traffic(start, (), 0, 0))
        ran = ran_at.get(start, [])
        direct = all_at.get(start, Fraction(0))
        facts[start] = Facts(
            covered_us=shown.covered_us(start, start + step_us),
            requests=came.requests,
            failures=came.failures,
            latency=Counter(came.latency),
            capacity_us=sum(row.capacity_us for row in ran),
            busy_us=sum(row.busy_us for row in ran),
            cost=Cost(machine=machine_cost((row.time for row in ran), pricing.rate), direct=direct),
            others=direct - own_at.get(start, Fraction(0)),
        )
    return Steps(facts, uptimes, sum(own.unmeasured.values()))


def _direct_by_step(busy: BusyTimes, pricing: Pricing) -> dict[int, Ticks]:
    used_at: dict[int, list[BusyTime]] = {}
    for from_us, time in busy.rows:
        used_at.setdefault(from_us, []).append(time)
    return {start: direct_cost(times, pricing.rate) for start, times in used_at.items()}
