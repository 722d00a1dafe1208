"""Bytes that leave and enter a region, as rows: for each kind of request its part of a day's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from costs import BytePrice
from costs.focus import Row, ascii_name, order_of, own_name
from costs.focus.provider import Provider
from reports.byte_pricing import BytePricing
from reports.finance.charge import Charge, Charges, Component, common, place
from reports.finance.metered import UNIT_NAMES, Meter, UnitPrice, metered_fields
from reports.finance.wording import tags_of, use_words
from store import Bytes, Use

SENT, RECEIVED = "sent", "received"


@dataclass(frozen=True)
class Moved:
    """The part that requests of one kind have of what a region sent or received on a day."""

    of: Bytes
    direction: str
    price: UnitPrice
    unit: str
    units: int


def moved_by(days: Iterable[Bytes], bytes_at: BytePricing, meter: Meter) -> Iterator[list[Moved]]:
    """Yield, for each day, region and direction with a price, the parts of `days` in it."""
    for (from_us, cloud, region), group in groupby(days, key=lambda row: row[:3]):
        rows = list(group)
        receiving, sending = bytes_at.moved(cloud, region, from_us)
        for direction, price in ((RECEIVED, receiving), (SENT, sending)):
            if price.micro_usd:
                yield _parts(rows, direction, price, meter)


def network_charges(
    moved: Iterable[list[Moved]],
    providers: dict[str, Provider],
    ends: dict[int, int],
    invoice_id: str | None,
) -> Charges:
    """Yield the rows of `moved`, in the order of a file; `ends` are the ends of days by begin."""
    # Names of regions are sorted as the file spells them.
    by_day = groupby(filter(None, moved), key=lambda parts: parts[0].of[:2])
    for (begin_us, _), groups in by_day:
        found = [
            charge
            for parts in groups
            for charge in _charges(parts, providers, ends[begin_us], invoice_id)
        ]
        found.sort(key=lambda charge: order_of(charge.row))
        yield from found


def _parts(rows: list[Bytes], direction: str, price: BytePrice, meter: Meter) -> list[Moved]:
    first = rows[0]
    unit_price = UnitPrice.of(Fraction(price.micro_usd))
    counts = [row.sent_bytes if direction == SENT else row.received_bytes for row in rows]
    units = meter.shares(
        (first.cloud, first.region, direction),
        counts,
        price.unit_bytes,
        unit_price,
    )
    unit = UNIT_NAMES[price.unit_bytes]
    return [
        Moved(row, direction, unit_price, unit, part)
        for row, part in zip(rows, units, strict=True)
        if part
    ]


def _charges(
    parts: list[Moved], providers: dict[str, Provider], end_us: int, invoice_id: str | None
) -> Iterator[Charge]:
    first = parts[0]
    base = _base(first, providers[first.of.cloud], end_us, invoice_id)
    words = "egress to the internet" if first.direction == SENT else "ingress"
    for part in parts:
        of = part.of
        use = Use(*of[3:10], 0, 0, 0, 0)
        yield Charge(
            Component.NETWORK,
            replace(
                base,
                **metered_fields(part.price, part.units, part.unit),
                charge_description=f"{words}: {use_words(use)}",
                tags=tags_of(of.model, of.tenant, of.labels),
                x_model_name=None if of.model is None else own_name(of.model),
                x_model_version=None if of.model_version is None else own_name(of.model_version),
                x_model_variant=None if of.variant is None else own_name(of.variant),
                x_tenant=own_name(of.tenant),
                x_outcome="failed" if of.failed else "ok",
                x_origin=of.origin,
            ),
        )


def _base(first: Moved, provider: Provider, end_us: int, invoice_id: str | None) -> Row:
    cloud, region = first.of.cloud, ascii_name(first.of.region, "region")
    sku = f"{ascii_name(cloud, 'cloud')}/{region}/transfer-{first.direction}/{first.unit.lower()}"
    fields: dict[str, Any] = {
        **common(provider, provider.network, first.of.from_us, end_us, invoice_id),
        **metered_fields(first.price, first.units, first.unit),
        "charge_description": "transfer",
        **place(cloud, first.of.region),
        "resource_id": f"transfer/{region}",
        "resource_name": f"transfer {region}",
        "resource_type": "data transfer",
        "sku_id": sku,
        "sku_meter": f"Transfer {first.unit}",
        "sku_price_id": f"{sku}/usage",
        "x_allocation_method": "direct",
        "x_is_idle": False,
    }
    return Row(**fields)
