"""What time alone costs, as rows: bytes at rest, and services that hold answers."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from costs import AtRest
from costs.focus import Row, ascii_name, json_text
from costs.focus.provider import Provider
from costs.resources import CacheService
from reports.byte_pricing import BytePricing
from reports.finance.charge import Charge, Component, common, place
from reports.finance.days import Day
from reports.finance.metered import UNIT_NAMES, Meter, UnitPrice, metered_fields
from store import HOUR_US


def storage_charges(
    stored: Sequence[AtRest],
    days: Iterable[Day],
    bytes_at: BytePricing,
    providers: dict[str, Provider],
    meter: Meter,
    invoice_id: str | None,
) -> Iterator[Charge]:
    """Yield a row for each day and each name, where it was stored and has a price."""
    named: dict[tuple[str, str, str, str], list[AtRest]] = {}
    for each in stored:
        named.setdefault((each.name, each.cloud, each.region, each.storage_class), []).append(each)
    for day in days:
        for (name, cloud, region, storage_class), parts in named.items():
            lasting = [part for part in parts if day.overlap_us(part.from_us, part.to_us)]
            if not lasting:
                continue
            byte_price = lasting[0].price or bytes_at.stored(
                cloud, region, storage_class, day.from_us
            )
            if not byte_price.micro_usd:
                continue
            price = UnitPrice.of(Fraction(byte_price.micro_usd))
            quantity = sum(
                (
                    day.months(part.from_us, part.to_us)
                    * Fraction(part.stored_bytes, byte_price.unit_bytes)
                    for part in lasting
                ),
                Fraction(0),
            )
            units = meter.units((cloud, region, storage_class, name), quantity, price)
            if not units:
                continue
            provider = providers[cloud]
            unit = f"{UNIT_NAMES[byte_price.unit_bytes]}-Months"
            called = ascii_name(name, "storage")
            kind = ascii_name(storage_class, "class")
            sku = _sku(cloud, region, f"{kind}/{unit.lower()}")
            yield Charge(
                Component.STORAGE,
                Row(
                    **common(
                        provider,
                        provider.storage(storage_class),
                        day.from_us,
                        day.to_us,
                        invoice_id,
                    ),
                    **metered_fields(price, units, unit),
                    **place(cloud, region),
                    charge_description=f"{called}: bytes stored",
                    resource_id=f"storage/{called}",
                    resource_name=called,
                    resource_type="storage",
                    sku_id=sku,
                    sku_meter=f"Stored {unit}",
                    sku_price_details=json_text({"StorageClass": storage_class}),
                    sku_price_id=f"{sku}/storage",
                    x_allocation_method="direct",
                    x_is_idle=False,
                ),
            )


def cache_charges(
    caches: Sequence[CacheService],
    days: Iterable[Day],
    providers: dict[str, Provider],
    meter: Meter,
    invoice_id: str | None,
) -> Iterator[Charge]:
    """Yield a row for each day and each service that ran in it."""
    for day in days:
        for each in caches:
            quantity = Fraction(day.overlap_us(each.from_us, each.to_us), HOUR_US)
            price = UnitPrice.of(each.micro_usd_per_hour)
            units = meter.units(each.name, quantity, price)
            if not units:
                continue
            provider = providers[each.cloud]
            called = ascii_name(each.name, "cache")
            sku = _sku(each.cloud, each.region, f"cache/{called}")
            yield Charge(
                Component.CACHE,
                Row(
                    **common(provider, provider.cache, day.from_us, day.to_us, invoice_id),
                    **metered_fields(price, units, "Hours"),
                    **place(each.cloud, each.region),
                    charge_description=f"{called}: hours of the cache service",
                    resource_id=f"cache/{called}",
                    resource_name=called,
                    resource_type="cache",
                    sku_id=sku,
                    sku_meter="Cache Hours",
                    sku_price_id=f"{sku}/hour",
                    x_allocation_method="direct",
                    x_is_idle=False,
                ),
            )


def _sku(cloud: str, region: str, what: str) -> str:
    return f"{ascii_name(cloud, 'cloud')}/{ascii_name(region, 'region')}/{what}"
