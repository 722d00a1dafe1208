"""Prices as tables and as a file: words as they are, exact decimals, nothing that runs."""

import csv
import io
from fractions import Fraction

from costs import Machine
from costs.prices.override import Discount, Fixed, Rule, Scope
from dashboard.price_table import CSV_COLUMNS, price_csv, price_frame, ran_html, rules_html
from reports.prices import PriceRow, RanMachine, RuleUse

MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")


def row(
    micro_usd: Fraction = Fraction(153_000),
    listed: int | None = None,
    rule: str | None = None,
    item: str = "c7i.xlarge",
    option: str = "on_demand",
) -> PriceRow:
    return PriceRow(
        cloud="aws",
        region="us-east-1",
        item=item,
        option=option,
        micro_usd=micro_usd,
        per="hour",
        list_micro_usd=None if listed is None else Fraction(listed),
        override=rule,
        valid_from_us=1_793_491_200_000_000,
        as_of="2026-11-10",
        days=10,
        source="a list",
    )


def test_a_price_by_a_rule_shows_its_name_and_the_list_price() -> None:
    shown = ran_html([RanMachine(MACHINE, row(listed=170_000, rule="EDP <b>"), False)])
    assert "<td>0.153</td><td>0.17</td>" in shown
    assert "EDP &lt;b&gt;" in shown
    assert "<td>2026-11-01</td><td>2026-11-10</td><td>10 d</td>" in shown


def test_a_list_price_is_the_same_as_the_list_price() -> None:
    assert "<td>0.153</td><td>same</td>" in ran_html([RanMachine(MACHINE, row(), False)])


def test_a_machine_without_a_price_and_one_that_never_ran_are_told() -> None:
    shown = ran_html([RanMachine(MACHINE, None, True)])
    assert "aws c7i.xlarge in us-east-1, on-demand (simulated)" in shown
    assert "no price is known: costs leave it out" in shown
    assert "No machine ran in this window." in ran_html([])


def test_rules_are_told_in_words() -> None:
    begin_us, end_us = 1_767_225_600_000_000, 1_798_761_600_000_000
    discount = Rule("EDP", Scope(cloud="aws"), Discount(Fraction(25, 2)), begin_us, end_us)
    own = Rule(
        "rack", Scope("own", "berlin", "dgx", "spot"), Fixed(9_800_000, "2026-02-01", "sheet")
    )
    anything = Rule("all", Scope(), Discount(Fraction(1)))
    shown = rules_html(
        [RuleUse(discount, True, 1_234), RuleUse(own, True, 1), RuleUse(anything, False, 0)]
    )
    assert "12.5 % off</td><td>2026-01-01</td><td>2027-01-01</td>" in shown
    assert "decides 1,234 prices</td>" in shown
    assert "own, dgx, berlin</td>" in shown
    assert "9.8 USD per hour</td><td>always</td><td>further notice</td>" in shown
    assert "decides 1 price</td>" in shown
    assert "every machine</td>" in shown
    assert "does not hold now" in shown
    assert "No rules: prices are those of the lists." in rules_html([])


def test_columns_without_anything_to_say_are_left_out() -> None:
    assert "rule" not in price_frame([row()])
    assert "list" not in price_frame([row()])
    assert list(price_frame([row(listed=170_000, rule="EDP")])["list"]) == [0.17]
    assert "option" not in price_frame([row(option="")])
    assert list(price_frame([row()]))[:4] == ["item", "region", "option", "usd"]
    assert list(price_frame([row()])["option"]) == ["on-demand"]
    beyond = price_frame([row(option=""), row(option="beyond 10,240 GB a month: not applied")])
    assert list(beyond)[:5] == ["item", "region", "usd", "per", "option"]
    assert price_frame([]).empty


def test_the_file_has_exact_decimals_and_runs_nothing() -> None:
    rows = [row(Fraction(1, 3)), row(Fraction(0), item="=cmd()"), row(listed=170_000, rule="EDP")]
    header, third, nothing, ruled = csv.reader(io.StringIO(price_csv(rows)))
    assert tuple(header) == CSV_COLUMNS
    assert third[4] == "0.000000333333"
    assert nothing[2:5] == ["'=cmd()", "on_demand", "0"]
    assert ruled[4:9] == ["0.153", "hour", "0.17", "EDP", "2026-11-01"]
