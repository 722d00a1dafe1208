"""What each of the latest requests cost, direct and fully loaded."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from costs import Catalogue, Cost, Machine, direct_cost, machine_cost
from reports.pricing import Pricing
from reports.window import Frame, Window, read_frame, whole
from store import (
    EVERYTHING,
    MINUTE_US,
    Dropped,
    Filter,
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
    not measured yet, and 0 where it used none. Fully loaded is direct cost plus a share of the idle
    cost of the minutes the listed requests arrived in, in proportion to direct cost among all
    requests that the same machines ran for, listed or not.
    """

    request: LoggedRequest
    direct: Fraction | None
    fully_loaded: Fraction | None


@dataclass(frozen=True)
class RequestCosts:
    """The latest requests, newest first, and the period whose idle cost they carry a share of.

    `unpriced` are the machines of that period without a price, whose cost is in no row, `dropped`
    the nodes that lost facts in it. `shown` is the stretch they were looked for in, None where the
    database holds no fact.
    """

    rows: list[RequestCost]
    period: Period | None
    unpriced: tuple[Machine, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    shown: Frame | None = None
    where: Filter = EVERYTHING


def load_request_costs(
    database: Path,
    catalogue: Catalogue,
    limit: int,
    where: Filter = EVERYTHING,
    window: Window | None = None,
    now_us: int = 0,
) -> RequestCosts:
    """Return the `limit` requests that arrived last with their costs; of `window` where given.

    `now_us` matters to a window only. Raises StoreErrors.
    """
    pricing = Pricing(catalogue)
    rate = pricing.rate
    changes = catalogue.changes()
    with open_reader(database) as connection:
        shown = read_frame(connection, window, now_us, where)
        if shown is None:
            return RequestCosts([], None)
        looked_at = None if window is None else shown.period
        requests = read_latest_requests(connection, limit, where=where, period=looked_at)
        if not requests:
            return RequestCosts([], None, shown=shown, where=where)
        oldest_us, newest_us = requests[-1].arrived_at_us, requests[0].arrived_at_us
        period = whole(
            connection,
            Period(
                oldest_us // MINUTE_US * MINUTE_US,
                newest_us // MINUTE_US * MINUTE_US + MINUTE_US,
            ),
        )
        machines = where.machines()
        uptimes = read_uptimes(connection, period, period.length_us, changes, where=machines)
        busy = read_busy_times(connection, period, period.length_us, changes, where=machines)
        dropped = read_dropped(connection, period, where=machines)
    together = Cost(
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
        rows.append(RequestCost(request, cost, None if cost is None else cost * together.loading))
    return RequestCosts(
        rows, period, tuple(sorted(pricing.missing)), tuple(dropped), shown=shown, where=where
    )
