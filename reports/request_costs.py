"""What each of the latest requests cost, direct and fully loaded."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from costs import Catalogue, Cost, Machine, direct_cost, machine_cost
from reports.pricing import Pricing
from store import (
    MINUTE_US,
    Dropped,
    LoggedRequest,
    Period,
    open_reader,
    read_busy_times,
    read_dropped,
    read_latest_requests,
    read_uptimes,
)


@dataclass(frozen=True)
class RequestCost:
    """One request and its cost in ticks (see costs/money.py).

    Both are None where the request was executed and its machine has no price or its machine time is
    not measured yet, and 0 where it used none. Fully loaded is direct cost plus the idle cost of
    the minutes the listed requests arrived in, shared in proportion to direct cost.
    """

    request: LoggedRequest
    direct: Fraction | None
    fully_loaded: Fraction | None


@dataclass(frozen=True)
class RequestCosts:
    """The latest requests, newest first, and the period whose idle cost they carry a share of.

    `unpriced` are the machines of that period without a price, whose cost is in no row, `dropped`
    the nodes that lost facts in it.
    """

    rows: list[RequestCost]
    period: Period | None
    unpriced: tuple[Machine, ...] = ()
    dropped: tuple[Dropped, ...] = ()


def load_request_costs(database: Path, catalogue: Catalogue, limit: int) -> RequestCosts:
    """Return the `limit` requests that arrived last with their costs. Raises StoreErrors."""
    pricing = Pricing(catalogue)
    rate = pricing.rate
    changes = catalogue.changes()
    with open_reader(database) as connection:
        requests = read_latest_requests(connection, limit)
        if not requests:
            return RequestCosts([], None)
        period = Period(
            requests[-1].arrived_at_us // MINUTE_US * MINUTE_US,
            requests[0].arrived_at_us // MINUTE_US * MINUTE_US + MINUTE_US,
        )
        uptimes = read_uptimes(connection, period, period.length_us, changes)
        busy = read_busy_times(connection, period, period.length_us, changes)
        dropped = read_dropped(connection, period)
    whole = Cost(
        machine=machine_cost((row.time for row in uptimes), rate),
        direct=direct_cost((time for _, time in busy.rows), rate),
    )
    rows = []
    for request in requests:
        cost = None
        if not request.executed:
            cost = Fraction(0)
        elif request.busy is not None and pricing.knows(
            request.busy.machine, request.arrived_at_us
        ):
            cost = direct_cost([request.busy], rate)
        rows.append(RequestCost(request, cost, None if cost is None else cost * whole.loading))
    return RequestCosts(rows, period, tuple(sorted(pricing.missing)), tuple(dropped))
