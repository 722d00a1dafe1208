"""What was promised to a provider, as rows: what is paid for it, and what of it nobody used."""

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from costs import Machine
from costs.apportion import Running
from costs.focus import Row, ascii_name
from costs.focus.provider import Provider
from costs.month import Month, start_us
from costs.resources import Commitment
from reports.finance.charge import (
    PICO_PER_USD,
    ZERO,
    Charge,
    Component,
    amounts,
    common,
    micro,
    pico,
    place,
    unit_prices,
)
from reports.finance.coverage import Coverage
from reports.finance.days import Day
from reports.finance.machine_plan import UNIT_US
from reports.finance.metered import Meter
from reports.finance.terms import MachineTerms
from store import HOUR_US, Period


def purchase_charges(
    commitments: Iterable[Commitment],
    period: Period,
    paid_to_us: int,
    providers: dict[str, Provider],
    invoice_id: str | None,
) -> Iterator[Charge]:
    """Yield what is paid for commitments: once where it is upfront, and by the hour each month."""
    end_us = min(period.to_us, paid_to_us)
    for each in commitments:
        if each.upfront_micro_usd and period.from_us <= each.from_us < end_us:
            hours = Fraction((each.to_us - each.from_us) * each.count, HOUR_US)
            yield _purchase(
                each,
                providers,
                (each.from_us, _month_end_us(each.from_us)),
                ("paid upfront", "One-Time", "Units"),
                (each.count * 10**6, each.upfront_micro_usd),
                hours,
                invoice_id,
            )
        begin = max(period.from_us, each.from_us)
        last = min(end_us, each.to_us)
        while each.micro_usd_per_hour and begin < last:
            stop = min(last, _month_end_us(begin))
            hours = Fraction((stop - begin) * each.count, HOUR_US)
            yield _purchase(
                each,
                providers,
                (begin, stop),
                ("paid by the hour", "Recurring", "Hours"),
                (int(hours * 10**6), each.micro_usd_per_hour),
                hours,
                invoice_id,
            )
            begin = stop


def unused_charges(
    commitments: Iterable[Commitment],
    ran_us: Mapping[tuple[Machine, int], int],
    days: Iterable[Day],
    coverage: Coverage,
    terms: MachineTerms,
    providers: dict[str, Provider],
    meter: Meter,
    invoice_id: str | None,
) -> Iterator[Charge]:
    """Yield the hours of each day that were paid for and no machine used."""
    machines = sorted({each.machine for each in commitments})
    units: dict[str, Running] = {}
    costs: dict[str, Running] = {}
    for day in days:
        for machine in machines:
            left: dict[Commitment, int] = {}
            for hour in range(day.from_us - day.from_us % HOUR_US, day.to_us, HOUR_US):
                used = coverage.used(machine, hour, ran_us.get((machine, hour), 0))
                for each, taken in used.items():
                    left[each] = left.get(each, 0) + coverage.room(each, hour) - taken
            for each, unused_us in left.items():
                amount = unused_us * each.effective_micro_usd_per_hour / UNIT_US
                meter.exact_usd += amount / PICO_PER_USD
                due = units.setdefault(each.commitment_id, Running()).take(unused_us, UNIT_US)
                cost = costs.setdefault(each.commitment_id, Running())
                if not due:
                    cost.add(amount)
                    continue
                yield _unused(each, day, due, cost.take(amount), terms, providers, invoice_id)


def _purchase(
    each: Commitment,
    providers: dict[str, Provider],
    charge_us: tuple[int, int],
    words: tuple[str, str, str],
    bought: tuple[int, int],
    hours: Fraction,
    invoice_id: str | None,
) -> Charge:
    how, frequency, unit = words
    quantity_micro, price_micro = bought
    provider = providers[each.machine.cloud]
    cost = pico(quantity_micro * price_micro)
    price = micro(price_micro)
    fields = {
        **common(provider, provider.compute, *charge_us, invoice_id),
        **_committed(each, f"{_sku(each)}/{frequency.lower()}"),
        **amounts(list_cost=cost, contracted=cost, effective=ZERO, billed=cost),
        **unit_prices(price, price),
        "charge_category": "Purchase",
        "charge_description": f"{_called(each)}: {each.count} x {_type(each)}, {how}",
        "charge_frequency": frequency,
        "commitment_discount_quantity": micro(int(hours * 10**6)),
        "pricing_category": "Standard",
        "pricing_quantity": micro(quantity_micro),
        "pricing_unit": unit,
        "sku_meter": "Commitments",
    }
    return Charge(Component.PURCHASE, Row(**fields))


def _unused(
    each: Commitment,
    day: Day,
    units: int,
    effective_pico: int,
    terms: MachineTerms,
    providers: dict[str, Provider],
    invoice_id: str | None,
) -> Charge:
    found = terms.of(each.machine, day.from_us, each)
    # A commitment is a price of its machine: it is never missing in its term.
    listed, contracted = (
        (found.list_micro_usd, found.contracted_micro_usd)
        if found
        else (each.micro_usd_per_hour, each.micro_usd_per_hour)
    )
    provider = providers[each.machine.cloud]
    fields = {
        **common(provider, provider.compute, day.from_us, day.to_us, invoice_id),
        **_committed(each, f"{_sku(each)}/unused"),
        **amounts(
            list_cost=pico(units * listed),
            contracted=pico(units * contracted),
            effective=pico(effective_pico),
            billed=ZERO,
        ),
        **unit_prices(micro(listed), micro(contracted)),
        "charge_category": "Usage",
        "charge_description": f"{_called(each)}: hours that no machine used",
        "charge_frequency": "Usage-Based",
        "commitment_discount_quantity": micro(units),
        "commitment_discount_status": "Unused",
        "pricing_category": "Committed",
        "pricing_quantity": micro(units),
        "pricing_unit": "Hours",
        "sku_meter": "Commitments",
    }
    return Charge(Component.UNUSED, Row(**fields))


def _committed(each: Commitment, sku_price: str) -> dict[str, Any]:
    return {
        "commitment_discount_category": "Usage",
        "commitment_discount_id": _called(each),
        "commitment_discount_name": _called(each),
        "commitment_discount_type": "Reserved Instance",
        "commitment_discount_unit": "Hours",
        **place(each.machine.cloud, each.machine.region),
        "sku_id": _sku(each),
        "sku_price_id": sku_price,
    }


def _called(each: Commitment) -> str:
    return ascii_name(each.commitment_id, "commitment")


def _type(each: Commitment) -> str:
    return ascii_name(each.machine.instance_type, "type")


def _sku(each: Commitment) -> str:
    machine = each.machine
    return "/".join(
        (
            "commitment",
            ascii_name(machine.cloud, "cloud"),
            ascii_name(machine.region, "region"),
            _type(each),
            f"{each.term_years}-years",
        )
    )


def _month_end_us(instant_us: int) -> int:
    return start_us(Month.at(instant_us).end_day)
