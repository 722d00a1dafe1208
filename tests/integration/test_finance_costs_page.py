"""Who bears idle time: a finance file by the day and the Costs page say the same of each group."""

import json
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from costs import TICKS_PER_USD, Price, PriceBook, Sharing
from reports.costs import load_costs
from reports.finance import Grain, IdleRule
from store import MINUTE_US, By, ByLabel, Filter, Grouping
from tests.fixtures_usage import MONDAY_US
from tests.integration.finance_files import Line, days, usd, write
from tests.integration.finance_fleet import MONDAY, fleet_database
from tests.integration.finance_idle import END_US, GPU, idle_book, idle_database
from tests.integration.fleet_prices import fleet_book
from tests.integration.usage_truth import PERIOD

REAL = Filter(simulated=("no",))
# Well below a cent: every row of a file is rounded to a millionth of an hour.
CLOSE = Fraction(1, 10**4)

DEARER = Price(GPU, 600_000, MONDAY_US + 30 * MINUTE_US, "2025", "test")
CASES = {
    "by hand": (idle_book(), END_US),
    "a price of one kind changes": (idle_book(DEARER), END_US),
    "fleet": (fleet_book(), PERIOD.to_us),
}
RULES = [rule for rule in Sharing if rule is not Sharing.OWNER]
TEAM = ByLabel("team")
# Even is by what is asked for: by model each model bears the same, in a file each tenant does.
ASKED: list[tuple[Grouping, Sharing]] = [
    *((By.TENANT, rule) for rule in RULES),
    *((by, rule) for by in (By.MODEL, TEAM) for rule in RULES if rule is not Sharing.EVEN),
]


@pytest.mark.parametrize(("by", "rule"), ASKED, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_a_group_costs_the_same_in_both(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    case: str,
    by: Grouping,
    rule: Sharing,
) -> None:
    book, now_us = CASES[case]
    if case == "fleet":
        database = fleet_database(tmp_path_factory)
    else:
        database = idle_database(tmp_path / "usage.duckdb")
    page = on_page(database, book, now_us, by, rule)
    query = days(MONDAY, grain=Grain.DAY, idle=IdleRule(rule))
    found = write(database, query, book, tmp_path / "out")
    lines: dict[str, list[Line]] = defaultdict(list)
    for line in found.lines:
        if line["ChargeCategory"] != "Adjustment":
            lines[group_of(line, by)].append(line)
    file = {group: usd(own) for group, own in lines.items()}
    assert len(page) >= 2
    assert set(page) >= set(file) | {""}
    for group, exact in page.items():
        assert abs(Fraction(file.get(group, Decimal(0))) - exact) < CLOSE, group


def group_of(line: Line, by: Grouping) -> str:
    """Return the group that a line belongs to, "" for none."""
    if by == TEAM:
        return str(json.loads(line["Tags"] or "{}").get("team", ""))
    return line["x_Tenant" if by is By.TENANT else "x_ModelName"]


def on_page(
    database: Path, book: PriceBook, now_us: int, by: Grouping, rule: Sharing
) -> dict[str, Fraction]:
    """Return the USD of each group on the Costs page; of "" what is of none, or nobody bears."""
    found = load_costs(database, book, None, now_us, REAL, (by,), rule)
    assert found is not None
    cost: dict[str, Fraction] = defaultdict(Fraction)
    cost[""] = Fraction(found.apart) / TICKS_PER_USD
    for each in found.slices:
        cost[each.key[0] or ""] += Fraction(each.cost) / TICKS_PER_USD
    return cost
