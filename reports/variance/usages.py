"""What each model, tenant, region, ... did in a period, and its part of the machines."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from costs import BusyTime, Machine, direct_cost, machine_cost
from costs.variance import Execution, Pool, Shared, share_pools
from reports.pricing import Pricing
from reports.window import of_requests
from store import (
    By,
    Filter,
    Grouping,
    Key,
    Period,
    Reader,
    read_breakdown,
    read_busy_times,
    read_uptimes,
)

# Of these, a machine that executed nothing is somebody's all the same.
OF_MACHINES = (By.CLOUD, By.REGION, By.INSTANCE_TYPE, By.PURCHASE_OPTION)


@dataclass(frozen=True)
class PeriodPools:
    """The machines of a period by kind, as far as they belong to the requests of the filter."""

    period: Period
    pools: Mapping[Machine, Pool]


def read_pools(connection: Reader, period: Period, pricing: Pricing, where: Filter) -> PeriodPools:
    """Return the machines of `period`: all that `where` accepts, with all they cost.

    Where it speaks of requests, they have their part of each kind of machine, by direct cost.
    """
    changes = pricing.catalogue.changes()
    found: dict[Machine, Pool] = {}
    for row in read_uptimes(connection, period, period.length_us, changes, where=where):
        machine = row.time.machine
        known = found.get(machine, Pool(0, 0))
        cost = machine_cost([row.time], pricing.rate)
        found[machine] = Pool(known.cost + cost, known.capacity_us + row.capacity_us)
    if of_requests(where):
        own, everything = (
            _executions(
                (
                    time
                    for _, time in read_busy_times(
                        connection, period, period.length_us, changes, where=accepted
                    ).rows
                ),
                pricing,
            )
            for accepted in (where, where.machines())
        )
        found = {
            machine: _part(pool, own.get(machine), everything.get(machine))
            for machine, pool in found.items()
        }
    return PeriodPools(period, found)


def read_usages(
    connection: Reader, ran: PeriodPools, by: Grouping, pricing: Pricing, where: Filter
) -> tuple[Shared[Key], int]:
    """Return the usage of every group, and how many requests have no cost yet.

    They lack machine time, since no sample of their node is stored for their minute. Requests that
    name no model are none of any model's.
    """
    changes = pricing.catalogue.changes()
    executed: dict[Key, Mapping[Machine, Execution]] = {}
    requests: dict[Key, int] = {}
    unmeasured = 0
    for part in read_breakdown(connection, ran.period, (by,), changes, where=where, latency=False):
        executed[part.key] = _executions(part.busy, pricing)
        requests[part.key] = 0 if by is By.MODEL and part.key == (None,) else part.totals.requests
        unmeasured += part.unmeasured
    owners: dict[Machine, Key] = {}
    if by in OF_MACHINES:
        owners = {machine: (getattr(machine, str(by)),) for machine in ran.pools}
    return share_pools(ran.pools, executed, requests, owners), unmeasured


def _executions(times: Iterable[BusyTime], pricing: Pricing) -> dict[Machine, Execution]:
    by_machine: dict[Machine, list[BusyTime]] = defaultdict(list)
    for time in times:
        if time.item_us:
            by_machine[time.machine].append(time)
    return {
        machine: Execution(
            direct=direct_cost(own, pricing.rate),
            busy_us=sum((Fraction(t.item_us, t.batch_size) for t in own), Fraction(0)),
        )
        for machine, own in by_machine.items()
    }


def _part(pool: Pool, own: Execution | None, everything: Execution | None) -> Pool:
    """Return the part of `pool` that belongs to whom `own` was executed for."""
    if own is None or everything is None:
        return Pool(0, 0)
    share = Fraction(own.busy_us) / everything.busy_us
    if everything.direct:
        share = Fraction(own.direct) / everything.direct
    return Pool(pool.cost * share, pool.capacity_us * share)
