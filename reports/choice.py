"""Choices of instance, region and purchase, filled from the price book at an instant.

What a price book does not know is never made up: a machine whose type is not described is no
candidate, a region without a price is no site, and both are named.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from costs import Machine, PriceBook, PriceMissingError
from costs.choice import Candidate, Latency, ReservedOffer, Site, Spot, hourly_interruption
from costs.prices.transfer import INTERNET
from costs.prices.units import GB, HOURS_PER_YEAR


@dataclass(frozen=True)
class Sites:
    """Regions that may be chosen, and why each of the others may not, by region."""

    sites: list[Site]
    missing: Mapping[str, str]


def candidates(
    book: PriceBook, machines: Iterable[Machine], instant_us: int
) -> tuple[list[Candidate], list[Machine]]:
    """Return `machines` with price and equipment, and those of which one is not known.

    The architecture of the CPU is in no price file; it is None.
    """
    found, unknown = [], []
    for machine in machines:
        kind = book.instance_types.get((machine.cloud, machine.instance_type))
        price = _price(book, machine, instant_us)
        if kind is None or price is None:
            unknown.append(machine)
            continue
        found.append(
            Candidate(
                machine=machine,
                micro_usd_per_hour=price,
                vcpus=kind.vcpus,
                memory_bytes=kind.memory_bytes,
                accelerator=kind.accelerator,
                accelerator_count=kind.accelerator_count,
                accelerator_memory_bytes=kind.accelerator_memory_bytes,
            )
        )
    return found, unknown


def sites(
    book: PriceBook,
    machines: Iterable[Machine],
    machine_requests_per_s: Fraction | int,
    storage_class: str,
    instant_us: int,
) -> Sites:
    """Return a site for the region of each of `machines`, which are of one cloud and type.

    A region where the price of the storage class is not known is a site that keeps nothing.
    """
    found: list[Site] = []
    missing: dict[str, str] = {}
    for machine in machines:
        cloud, region = machine.cloud, machine.region
        try:
            price = book.machines.at(machine, instant_us).micro_usd_per_hour
            egress = book.transfer_at(cloud, region, INTERNET, instant_us)
        except PriceMissingError as error:
            missing[region] = str(error)
            continue
        found.append(
            Site(
                region=region,
                machine_micro_usd_per_hour=price,
                machine_requests_per_s=machine_requests_per_s,
                egress_micro_usd_per_gb=_per_gb(egress.micro_usd, egress.unit_bytes),
                storage_micro_usd_per_gb_month=_storage(book, machine, storage_class, instant_us),
            )
        )
    return Sites(found, missing)


def latencies(book: PriceBook, cloud: str) -> dict[tuple[str, str], Latency]:
    """Return the known round trips by (region of the users, region that serves) of one cloud."""
    return {
        (each.region, each.to): Latency(each.rtt_p50_us, each.rtt_p95_us)
        for each in book.latencies.values()
        if each.cloud == cloud
    }


def transfers(
    book: PriceBook, cloud: str, regions: Iterable[str], instant_us: int
) -> dict[tuple[str, str], Fraction]:
    """Return what a GB costs from each region to each other, in micro-USD, where it is known."""
    found = {}
    for region, to in permutations(regions, 2):
        try:
            price = book.transfer_at(cloud, region, to, instant_us)
        except PriceMissingError:
            continue
        found[region, to] = _per_gb(price.micro_usd, price.unit_bytes)
    return found


def reserved_offers(book: PriceBook, machine: Machine, instant_us: int) -> list[ReservedOffer]:
    """Return every commitment to machines of that kind, cheapest hour first."""
    return [
        ReservedOffer(
            name=f"{each.offering}, {each.term_years} y, {each.payment}",
            term_hours=each.term_years * HOURS_PER_YEAR,
            upfront_micro_usd=each.upfront.micro_usd,
            micro_usd_per_hour=each.recurring.micro_usd,
        )
        for each in book.commitments_at(
            machine.cloud, machine.region, machine.instance_type, instant_us
        )
    ]


def spot_offer(
    book: PriceBook,
    machine: Machine,
    instant_us: int,
    *,
    rework_hours: Fraction,
    missing_hours: Fraction,
    most_share: Fraction,
    open_band: Fraction,
) -> Spot | None:
    """Return spot machines of that kind at the upper end of how often they are taken back.

    `open_band` is taken where the highest band has no upper end. Returns None where price or band
    is not known. The other arguments are those of `Spot`. Raises ValueError for an `open_band`
    below the band.
    """
    spot = Machine(machine.cloud, machine.region, machine.instance_type, "spot")
    price = _price(book, spot, instant_us)
    band = book.interruptions.get((machine.cloud, machine.region, machine.instance_type))
    if price is None or band is None:
        return None
    monthly, least = open_band, Fraction(band.least_percent, 100)
    if band.most_percent is not None:
        monthly = Fraction(band.most_percent, 100)
    elif monthly < least:
        raise ValueError(
            f"open_band is {monthly}; accepted: {least} or more, where the band begins"
        )
    return Spot(
        micro_usd_per_hour=price,
        interruptions_per_hour=hourly_interruption(monthly),
        rework_hours=rework_hours,
        missing_hours=missing_hours,
        most_share=most_share,
    )


def _storage(
    book: PriceBook, machine: Machine, storage_class: str, instant_us: int
) -> Fraction | None:
    try:
        found = book.storage_at(machine.cloud, machine.region, storage_class, instant_us)
    except PriceMissingError:
        return None
    return _per_gb(found.price.micro_usd, found.unit_bytes)


def _price(book: PriceBook, machine: Machine, instant_us: int) -> int | None:
    try:
        return book.machines.at(machine, instant_us).micro_usd_per_hour
    except PriceMissingError:
        return None


def _per_gb(micro_usd: Fraction, unit_bytes: int) -> Fraction:
    return micro_usd * GB / unit_bytes
