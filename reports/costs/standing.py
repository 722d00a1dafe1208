"""What time alone cost in a period: storage, caches, commitments that were not used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from costs import (
    AtRest,
    CommitmentUse,
    Components,
    Machine,
    Resources,
    Ticks,
    cache_cost,
    commitment_use,
    storage_cost,
)
from costs.resources import CacheService
from reports.at_rest import stored_by
from reports.byte_pricing import BytePricing
from reports.pricing import Pricing
from store import HOUR_US, Filter, Period, Reader, read_archive_sizes, read_uptimes


@dataclass(frozen=True)
class Standing:
    """What time alone costs in and around one period, for any stretch of it.

    `unused` is the cost of commitments beyond the machine time that they paid for, by hour of day:
    a stretch within an hour has its part of that. `uses` are those of all hours that the period
    touches, together.
    """

    stored: list[AtRest]
    caches: list[CacheService]
    unused: Mapping[int, Ticks]
    uses: list[CommitmentUse]
    bytes_at: BytePricing

    def between(self, from_us: int, to_us: int) -> Components:
        """Return what a stretch costs. The costs of its parts add up to it."""
        changes = self.bytes_at.book.changes()
        stored = (
            storage_cost(each, self.bytes_at.stored, changes, from_us, to_us)
            for each in self.stored
        )
        unused = (
            self.unused.get(hour, Fraction(0))
            * Fraction(min(to_us, hour + HOUR_US) - max(from_us, hour), HOUR_US)
            for hour in range(from_us - from_us % HOUR_US, to_us, HOUR_US)
        )
        return Components(
            storage=sum(stored, Fraction(0)),
            cache=sum((cache_cost(each, from_us, to_us) for each in self.caches), Fraction(0)),
            commitment=sum(unused, Fraction(0)),
        )


def read_standing(
    connection: Reader, period: Period, pricing: Pricing, bytes_at: BytePricing, where: Filter
) -> Standing:
    """Return what time alone costs in `period`.

    Of `where`, clouds and regions restrict it; a filter on anything else leaves nothing of storage
    and caches, which belong to no machine.
    """
    resources = bytes_at.book.resources
    sizes = read_archive_sizes(connection, period) if resources.archive else []
    stored = stored_by(resources, sizes)
    by_hour = _commitments(connection, period, pricing, resources, where)
    return Standing(
        stored=[each for each in stored if _placed(where, each.cloud, each.region)],
        caches=[each for each in resources.caches if _placed(where, each.cloud, each.region)],
        unused={
            hour: sum((use.unused + use.excess for use in uses), Fraction(0))
            for hour, uses in by_hour.items()
        },
        uses=_together(use for uses in by_hour.values() for use in uses),
        bytes_at=bytes_at,
    )


def _commitments(
    connection: Reader, period: Period, pricing: Pricing, resources: Resources, where: Filter
) -> dict[int, list[CommitmentUse]]:
    promised = [each for each in resources.commitments if _accepts(where, each.machine)]
    if not promised:
        return {}
    hours = Period(period.from_us - period.from_us % HOUR_US, -(-period.to_us // HOUR_US) * HOUR_US)
    ran: dict[tuple[Machine, int], int] = {}
    changes = pricing.catalogue.changes()
    for row in read_uptimes(connection, hours, HOUR_US, changes, where=where):
        if row.time.machine.purchase_option == "reserved":
            key = row.time.machine, row.from_us
            ran[key] = ran.get(key, 0) + row.time.uptime_us
    return {
        hour: commitment_use(promised, ran, pricing.rate, hour, hour + HOUR_US)
        for hour in range(hours.from_us, hours.to_us, HOUR_US)
    }


def _together(uses: Iterable[CommitmentUse]) -> list[CommitmentUse]:
    by_machine: dict[Machine, CommitmentUse] = {}
    for use in uses:
        known = by_machine.get(use.machine)
        by_machine[use.machine] = use if known is None else known + use
    return [by_machine[machine] for machine in sorted(by_machine)]


def _placed(where: Filter, cloud: str, region: str) -> bool:
    """Return whether something that belongs to no machine, in that place, is meant."""
    return where == Filter(
        cloud=where.cloud, region=where.region, simulated=where.simulated
    ) and all(
        not accepted or value in accepted
        for accepted, value in ((where.cloud, cloud), (where.region, region))
    )


def _accepts(where: Filter, machine: Machine) -> bool:
    return not where.node_id and all(
        not accepted or value in accepted
        for accepted, value in (
            (where.cloud, machine.cloud),
            (where.region, machine.region),
            (where.instance_type, machine.instance_type),
            (where.purchase_option, machine.purchase_option),
        )
    )
