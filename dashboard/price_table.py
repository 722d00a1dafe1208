"""Prices in force as tables: of what ran, of the catalogue, and the user's rules."""

from collections.abc import Iterable, Sequence
from datetime import UTC
from fractions import Fraction

import pandas as pd

from costs import to_usd
from costs.prices.override import Discount, Fixed, Rule
from dashboard.health_tables import table_html
from dashboard.table_csv import table_csv
from reports.formatting import DASH, count, instant
from reports.prices import PriceRow, RanMachine, RuleUse

MICRO = 10**6
TICKS_PER_MICRO_USD = 3_600_000_000
DAY = "%Y-%m-%d"
ANY = "*"
SHORT_OPTIONS = ("on-demand", "spot", "reserved")
COLUMNS = [
    "item", "region", "option", "usd", "per", "list", "rule", "age", "as_of", "valid_from",
    "source", "cloud",
]  # fmt: skip
CSV_COLUMNS = (
    "cloud",
    "region",
    "item",
    "option",
    "usd",
    "per",
    "list_usd",
    "rule",
    "valid_from",
    "as_of",
    "source",
)


def ran_html(machines: Sequence[RanMachine]) -> str:
    """Return the machines that ran with what an hour of each costs now."""
    header = (
        "Machine:",
        "USD per hour",
        "List price",
        "Rule:",
        "Valid from",
        "As of",
        "Age",
        "Source:",
    )
    return table_html(header, [_ran(ran) for ran in machines], "No machine ran in this window.")


def rules_html(uses: Sequence[RuleUse]) -> str:
    """Return the user's rules and what they decide."""
    rows = [
        (
            use.rule.name,
            _scope(use.rule),
            _effect(use.rule),
            _day(use.rule.valid_from_us) or "always",
            _day(use.rule.valid_to_us) or "further notice",
            _decides(use),
        )
        for use in uses
    ]
    header = ("Rule:", "For:", "Price:", "From", "Until before", "Now:")
    return table_html(header, rows, "No rules: prices are those of the lists.")


def price_frame(rows: Iterable[PriceRow]) -> pd.DataFrame:
    """Return `rows` as the columns people read, without those that say nothing. USD."""
    frame = pd.DataFrame(
        [
            {
                "item": row.item,
                "region": row.region,
                "option": row.option.replace("_", "-"),
                "usd": float(row.micro_usd / MICRO),
                "per": row.per,
                "list": None if row.list_micro_usd is None else float(row.list_micro_usd / MICRO),
                "rule": row.override or "",
                "age": row.days,
                "as_of": row.as_of,
                "valid_from": _day(row.valid_from_us),
                "source": row.source,
                "cloud": row.cloud,
            }
            for row in rows
        ],
        columns=COLUMNS,
    ).astype({"usd": float, "list": float, "age": "Int64"})
    if not frame["rule"].any():
        frame = frame.drop(columns=["list", "rule"])
    if frame["option"].isin(SHORT_OPTIONS).all():
        return frame
    # Words that are longer than the price stand after it: a phone shows what is first.
    option = frame.pop("option")
    if option.any():
        frame.insert(list(frame.columns).index("per") + 1, "option", option)
    return frame


def price_csv(rows: Iterable[PriceRow]) -> str:
    """Return `rows` as CSV. USD with at most twelve decimals, rounded half to even."""
    lines = (
        (
            row.cloud,
            row.region,
            row.item,
            row.option,
            _exact(row.micro_usd),
            row.per,
            _exact(row.list_micro_usd),
            row.override,
            _day(row.valid_from_us),
            row.as_of,
            row.source,
        )
        for row in rows
    )
    return table_csv(CSV_COLUMNS, lines)


def _ran(ran: RanMachine) -> tuple[str, ...]:
    name = f"{ran.machine} (simulated)" if ran.simulated else str(ran.machine)
    row = ran.price
    if row is None:
        return name, DASH, "", "", "", DASH, DASH, "no price is known: costs leave it out"
    listed = row.list_micro_usd
    return (
        name,
        _exact(row.micro_usd),
        _exact(listed) if listed is not None else (DASH if row.override else "same"),
        row.override or "",
        _day(row.valid_from_us) or "always",
        row.as_of,
        DASH if row.days is None else f"{count(row.days)} d",
        row.source,
    )


def _scope(rule: Rule) -> str:
    scope = rule.scope
    parts = (scope.cloud, scope.instance_type, scope.region)
    named = [part for part in parts if part != ANY]
    if scope.purchase_option != ANY and scope.cloud != "own":
        named.append(scope.purchase_option.replace("_", "-"))
    return ", ".join(named) or "every machine"


def _effect(rule: Rule) -> str:
    match rule.effect:
        case Discount(percent):
            return f"{float(percent):g} % off"
        case Fixed(micro_usd_per_hour):
            return f"{_exact(Fraction(micro_usd_per_hour))} USD per hour"


def _decides(use: RuleUse) -> str:
    if not use.holds:
        return "does not hold now"
    return f"decides {count(use.prices)} {'price' if use.prices == 1 else 'prices'}"


def _day(instant_us: int | None) -> str:
    return "" if instant_us is None else instant(instant_us, UTC).strftime(DAY)


def _exact(micro_usd: Fraction | None) -> str:
    if micro_usd is None:
        return ""
    text = f"{to_usd(micro_usd * TICKS_PER_MICRO_USD):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
