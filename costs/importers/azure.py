"""Azure Retail Prices, pages of its API as JSON: {"Items": [...], "NextPageLink", ...}.

Everything of an item that matters stands in texts: spot and low priority in `skuName` and
`meterName`, Windows in `productName`. `unitOfMeasure` says "1 Hour" even of a reservation, whose
price is for the whole term.
Source: Microsoft Learn, "Azure Retail Prices REST API overview"; Azure/karpenter's client.
"""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import msgspec
from msgspec import Raw, Struct, field

from costs.importers.found import Found, ImportFileError, Origin
from costs.price import Machine
from costs.prices.commitment import CommitmentOffer
from costs.prices.table import day_us
from costs.prices.units import PerHour, PerTerm, micro_usd

CLOUD = "azure"
SERVICE = "Virtual Machines"
ACCEPTED = "a page of the Azure Retail Prices API, JSON with Items"
HOUR = "1 Hour"
END_OF_TIME = "9999"
CONSUMPTION, RESERVATION, DEV_TEST = "Consumption", "Reservation", "DevTestConsumption"
YEARS = {"1 Year": 1, "3 Years": 3}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NEXT_PAGE = "pages that name a next one"
PAGES = "pages"

Document = bytes | memoryview


class _Page(Struct):
    items: list[Raw] = field(name="Items")
    next_page: str | None = field(name="NextPageLink", default=None)


class _SavingsPlan(Struct):
    term: str = ""
    price: Decimal = field(name="retailPrice", default=Decimal(0))


class _Item(Struct, rename="camel"):
    currency_code: str = ""
    tier_minimum_units: Decimal = Decimal(0)
    retail_price: Decimal = Decimal(0)
    arm_region_name: str | None = None
    arm_sku_name: str | None = None
    effective_start_date: str = ""
    effective_end_date: str | None = None
    meter_name: str = ""
    product_name: str = ""
    sku_name: str = ""
    service_name: str = ""
    unit_of_measure: str = ""
    type: str = ""
    is_primary_meter_region: bool = True
    reservation_term: str | None = None
    savings_plan: list[_SavingsPlan] = []


def parse_azure(document: Document, name: str, as_of: str) -> Found:
    """Return the Linux machines in `document`; `name` is the file's name.

    The API says of no day on which it was read, hence `as_of`. A machine is `reserved` at its
    reservation for a year, spread over the hours. Raises ImportFileError.
    """
    found = Found()
    if bytes(document[:3]) == BYTE_ORDER_MARK:
        document = document[3:]
    try:
        page = msgspec.json.decode(document, type=_Page)
        decoder = msgspec.json.Decoder(_Item, strict=False)
        for raw in page.items:
            _take(decoder.decode(raw), as_of, found)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ImportFileError(f"{name}: {error}; accepted: {ACCEPTED}") from error
    found.notes[PAGES] += 1
    if page.next_page:
        found.notes[NEXT_PAGE] += 1
    return found


def _take(item: _Item, as_of: str, found: Found) -> None:
    amount = _above_zero(item.retail_price)
    begin_us = _begin_us(item)
    reason = _unwanted(item, amount, as_of) or (
        "effectiveStartDate is no date" if begin_us is None else None
    )
    if reason is not None or not item.arm_region_name or not item.arm_sku_name:
        found.skip(reason or "without region or armSkuName")
        return
    place = item.arm_region_name, item.arm_sku_name
    origin = Origin("Azure Retail Prices API", as_of)
    if item.type == RESERVATION:
        _take_reservation(item, amount, begin_us, origin, found)
        return
    is_spot = "Spot" in f"{item.sku_name} {item.meter_name}"
    machine = Machine(CLOUD, *place, "spot" if is_spot else "on_demand")
    found.add_price(machine, PerHour(amount), begin_us, origin)
    for plan in item.savings_plan:
        years = YEARS.get(plan.term)
        recurring = _above_zero(plan.price)
        if years is None or not recurring:
            found.skip("savings plan: term or price is unknown")
            continue
        found.commitments.append(
            CommitmentOffer(
                *(CLOUD, *place, "savings_plan", "no_upfront"),
                PerTerm(Fraction(0), years),
                PerHour(found.writable(recurring)),
                begin_us,
                origin.as_of,
                origin.source,
            )
        )


def _take_reservation(
    item: _Item, amount: Fraction, begin_us: int | None, origin: Origin, found: Found
) -> None:
    years = YEARS.get(item.reservation_term or "")
    if years is None:
        found.skip(f"reservation for {item.reservation_term}; accepted: 1 Year, 3 Years")
        return
    term = PerTerm(found.writable(amount), years)
    place = CLOUD, item.arm_region_name or "", item.arm_sku_name or ""
    found.commitments.append(
        CommitmentOffer(
            *(*place, "reservation", "all_upfront"),
            term,
            PerHour(Fraction(0)),
            begin_us,
            origin.as_of,
            origin.source,
        )
    )
    if years == 1:
        source = Origin(f"{origin.source} (reservation for a year, by the hour)", origin.as_of)
        found.add_price(Machine(*place, "reserved"), term.per_hour(), begin_us, source)


def _unwanted(item: _Item, amount: Fraction, as_of: str) -> str | None:
    named = f"{item.sku_name} {item.meter_name}"
    reasons = {
        "currency is not USD": item.currency_code != "USD",
        f"service is not {SERVICE}": item.service_name != SERVICE,
        "price of DevTest": item.type == DEV_TEST,
        f"type is {item.type!r}": item.type not in (CONSUMPTION, RESERVATION),
        "Windows": "Windows" in item.product_name,
        "Cloud Services": "CloudServices" in item.product_name.replace(" ", ""),
        "dedicated host": "Dedicated Host" in item.product_name,
        "Low Priority": "Low Priority" in named,
        "not the primary meter of its region": not item.is_primary_meter_region,
        "a higher tier": item.tier_minimum_units != 0,
        f"unit is {item.unit_of_measure!r}": item.unit_of_measure != HOUR,
        "price has ended": (item.effective_end_date or END_OF_TIME)[:10] <= as_of,
        "price is not above zero": not amount,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _above_zero(usd: Decimal) -> Fraction:
    """Return an amount in micro-USD, 0 for what is none."""
    try:
        return micro_usd(usd)
    except ValueError:
        return Fraction(0)


def _begin_us(item: _Item) -> int | None:
    try:
        begin = datetime.fromisoformat(item.effective_start_date)
        return day_us((begin if begin.tzinfo else begin.replace(tzinfo=UTC)).astimezone(UTC).date())
    except (ValueError, OverflowError):
        return None
