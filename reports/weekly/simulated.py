"""How much of each step of a review never ran."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from store import Filter, Period, Reader, Uptime, read_series, read_uptimes


@dataclass(frozen=True)
class SimulatedSteps:
    """Simulated requests, and microseconds of machines, by the beginning of their step."""

    requests: Counter[int] = field(default_factory=Counter)
    uptime_us: Counter[int] = field(default_factory=Counter)


def read_simulated_steps(
    connection: Reader, period: Period, step_us: int, where: Filter
) -> SimulatedSteps:
    """Return what of `period` is simulated, as far as `where` accepts it."""
    if where.simulated == ("no",):
        return SimulatedSteps()
    made_up = replace(where, simulated=("yes",))
    came = read_series(connection, period, step_us, where=made_up)
    ran = read_uptimes(connection, period, step_us, (0,), where=made_up)
    return SimulatedSteps(
        Counter({start: totals.requests for start, totals in came}), uptime_by_step(ran)
    )


def uptime_by_step(ran: Iterable[Uptime]) -> Counter[int]:
    """Return how long machines ran, in microseconds, by the beginning of the step."""
    found: Counter[int] = Counter()
    for row in ran:
        found[row.from_us] += row.time.uptime_us
    return found
