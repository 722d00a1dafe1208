"""OpenCost's custom pricing as CSV: EndTimestamp, InstanceID, Region, AssetClass, InstanceIDField,
InstanceType, MarketPriceHourly, Version.

A row prices what has `InstanceID` in its field `InstanceIDField`. We price kinds of machines, so a
row counts that says its instance type, in the column or as the label that it goes by.
Source: github.com/opencost/opencost, configs/pricing_schema.csv and docs.
"""

from collections.abc import Iterable
from datetime import date

from costs.importers.csv_lines import named_rows
from costs.importers.found import Found, Origin
from costs.price import Machine
from costs.prices.units import PerHour, micro_usd

NEEDED = (
    "InstanceID",
    "Region",
    "AssetClass",
    "InstanceIDField",
    "InstanceType",
    "MarketPriceHourly",
)
ACCEPTED = "custom pricing CSV of OpenCost"
TYPE_LABEL = "instance-type"
SKIPPED_CLASSES = {
    "pv": "price of a volume",
    "gpu": "price of a GPU: it stands beside that of its node",
}


def parse_opencost(
    lines: Iterable[str], name: str, cloud: str, region: str | None, as_of: str
) -> Found:
    """Return the nodes in `lines` as machines of `cloud`; `name` is the file's name.

    `region` is that of rows without one, `as_of` the day of rows without a time. Raises
    ImportFileError.
    """
    found = Found()
    for row in named_rows(lines, name, NEEDED, ACCEPTED):
        if row is None:
            found.skip("row is not readable")
            continue
        kind = row["AssetClass"].lower()
        by_label = row["InstanceIDField"].endswith(TYPE_LABEL)
        instance_type = row["InstanceType"] or (row["InstanceID"] if by_label else "")
        place = row["Region"] or region
        price = _price(row["MarketPriceHourly"])
        if kind != "node":
            found.skip(SKIPPED_CLASSES.get(kind, "asset class is unknown"))
        elif not instance_type:
            found.skip("price of one node: it says no instance type")
        elif not place:
            found.skip("without region")
        elif price is None:
            found.skip("price is no amount above zero")
        else:
            origin = Origin("OpenCost custom pricing", _day(row.get("EndTimestamp", "")) or as_of)
            found.add_price(Machine(cloud, place, instance_type, "on_demand"), price, None, origin)
    return found


def _price(text: str) -> PerHour | None:
    try:
        amount = micro_usd(text)
    except ValueError:
        return None
    return PerHour(amount) if amount else None


def _day(text: str) -> str | None:
    """Return the day of a time like "2019-04-17 23:34:22 UTC"."""
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None
