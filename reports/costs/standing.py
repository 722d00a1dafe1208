"""What time alone cost in a period: storage, caches, commitments that were not used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from costs import (
    AtRest,
    CommitmentUse,
    Components,
    Machine,
    Resources,
    cache_cost,
    commitment_use,
    storage_cost,
)
from costs.price_book import NOTHING_DECLARED
from costs.resources import CacheService
from reports.at_rest import stored_by
from reports.byte_pricing import BytePricing
from reports.pricing import Pricing
from store import HOUR_US, Filter, Period, Reader, read_archive_sizes, read_state, read_uptimes


@dataclass(frozen=True)
class Standing:
    """What time alone costs in and around one period, for any stretch of it.

    Nothing is paid for beyond `paid_to_us`, where facts end. `by_hour` is how commitments were used
    in each hour (the last one may end early): a stretch within an hour has its part of that.
    """

    stored: list[AtRest]
    caches: list[CacheService]
    by_hour: Mapping[int, list[CommitmentUse]]
    bytes_at: BytePricing
    paid_to_us: int

    def between(self, from_us: int, to_us: int) -> Components:
        """Return what a stretch costs. The costs of its parts add up to it."""
        to_us = min(to_us, self.paid_to_us)
        changes = self.bytes_at.book.changes()
        stored = (
            storage_cost(each, self.bytes_at.stored, changes, from_us, to_us)
            for each in self.stored
        )
        beside_use = (
            (use.unused + use.excess) * part
            for hour, part in self._hours(from_us, to_us)
            for use in self.by_hour[hour]
        )
        return Components(
            storage=sum(stored, Fraction(0)),
            cache=sum((cache_cost(each, from_us, to_us) for each in self.caches), Fraction(0)),
            commitment=sum(beside_use, Fraction(0)),
        )

    def uses(self, from_us: int, to_us: int) -> list[CommitmentUse]:
        """Return how commitments were used in a stretch, by machine."""
        by_machine: dict[Machine, CommitmentUse] = {}
        for hour, part in self._hours(from_us, to_us):
            for whole in self.by_hour[hour]:
                use = whole.times(part)
                known = by_machine.get(use.machine)
                by_machine[use.machine] = use if known is None else known + use
        return [by_machine[machine] for machine in sorted(by_machine)]

    def _hours(self, from_us: int, to_us: int) -> Iterator[tuple[int, Fraction]]:
        """Yield the hours of a stretch, each with the part of it that lies in the stretch."""
        for hour in range(from_us - from_us % HOUR_US, to_us, HOUR_US):
            end_us = min(hour + HOUR_US, self.paid_to_us)
            inside_us = min(to_us, end_us) - max(from_us, hour)
            if inside_us > 0 and hour in self.by_hour:
                yield hour, Fraction(inside_us, end_us - hour)


def read_standing(
    connection: Reader, period: Period, pricing: Pricing, bytes_at: BytePricing, where: Filter
) -> Standing:
    """Return what time alone costs in `period`, as far as facts are stored.

    Of `where`, clouds and regions restrict it; a filter on anything else leaves nothing of storage
    and caches, which belong to no machine. What is declared is real: beside simulated runs alone,
    nothing of it counts.
    """
    resources = NOTHING_DECLARED if where.simulated == ("yes",) else bytes_at.book.resources
    sizes = read_archive_sizes(connection, period) if resources.archive else []
    stored = stored_by(resources, sizes)
    state = read_state(connection, where)
    paid_to_us = state.covered_to_us or state.last_fact_us or period.from_us
    return Standing(
        stored=[each for each in stored if _placed(where, each.cloud, each.region)],
        caches=[each for each in resources.caches if _placed(where, each.cloud, each.region)],
        by_hour=_commitments(connection, period, pricing, resources, where, paid_to_us),
        bytes_at=bytes_at,
        paid_to_us=paid_to_us,
    )


def _commitments(
    connection: Reader,
    period: Period,
    pricing: Pricing,
    resources: Resources,
    where: Filter,
    paid_to_us: int,
) -> dict[int, list[CommitmentUse]]:
    """Return the uses of commitments by hour; the hour in which facts end counts up to there."""
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
        hour: commitment_use(promised, ran, pricing.rate, hour, min(hour + HOUR_US, paid_to_us))
        for hour in range(hours.from_us, min(hours.to_us, paid_to_us), HOUR_US)
    }


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
