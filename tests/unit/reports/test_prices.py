"""Prices in force as rows: what holds now, by which rule, how old."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from costs.price_folder import parse_book
from reports.prices import PriceReport, PriceRow, price_report, search

NOW_US = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 1_000_000
TEXTS = {
    "instances.csv": (
        "cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source\n"
        "aws,us-east-1,c7i.xlarge,on_demand,0.1785,,2025-04-04,an old list\n"
        "aws,us-east-1,c7i.xlarge,on_demand,0.17,2026-11-01,2026-11-10,a list\n"
        "aws,us-east-1,c9i.xlarge,on_demand,0.2,2027-01-01,2026-11-10,announced\n"
        "gcp,us-east1,n2-standard-4,spot,0.09212,,2026 (exact day unknown),a list\n"
    ),
    "commitments.csv": (
        "cloud,region,instance_type,offering,term_years,payment,upfront_usd_per_term,"
        "usd_per_hour,valid_from,as_of,source\n"
        "aws,us-east-1,c7i.xlarge,standard,3,partial_upfront,2628,0.05,,2026,s\n"
    ),
    "transfer.csv": (
        "cloud,region,to,tier_from,usd,per,valid_from,as_of,source\n"
        "aws,us-east-1,internet,0,0.09,GB,,2024,s\naws,us-east-1,internet,10240,0.085,GB,,2024,s\n"
        "aws,us-east-1,ingress,0,0,GB,,2024,s\n"
    ),
    "storage.csv": (
        "cloud,region,storage_class,product,usd,per,valid_from,as_of,source\n"
        "gcp,us-east1,block_ssd,PD SSD,0.17,GiB-month,,unknown,s\n"
    ),
    "prices.toml": (
        '[[discount]]\nname = "EDP"\npercent = 10\ncloud = "aws"\n'
        '[[discount]]\nname = "ended"\npercent = 10\ncloud = "gcp"\nvalid_to = 2026-11-20\n'
        '[[own]]\nname = "rack"\nregion = "berlin"\ninstance_type = "dgx"\nusd_per_hour = 9.8\n'
        "as_of = 2026-02-01\n"
    ),
}


@pytest.fixture
def report() -> PriceReport:
    return price_report(parse_book(TEXTS, "prices"), NOW_US)


def items(rows: list[PriceRow]) -> list[tuple[str, str, Fraction, str]]:
    return [(row.item, row.option, row.micro_usd, row.per) for row in rows]


def test_a_machine_has_the_price_of_now_with_its_rule_its_list_price_and_its_age(
    report: PriceReport,
) -> None:
    c7i, n2 = (row for row in report.rows["machines"] if row.cloud != "own")
    assert (c7i.micro_usd, c7i.list_micro_usd) == (Fraction(153_000), Fraction(170_000))
    assert c7i.override == "EDP"
    assert (c7i.days, c7i.as_of, c7i.source) == (10, "2026-11-10", "a list")
    assert (n2.micro_usd, n2.list_micro_usd) == (Fraction(92_120), None)
    assert (n2.override, n2.days) == (None, 323)


def test_own_machines_stand_among_the_others(report: PriceReport) -> None:
    own = [row for row in report.rows["machines"] if row.cloud == "own"]
    assert {(row.item, row.micro_usd, row.list_micro_usd, row.override) for row in own} == {
        ("dgx", Fraction(9_800_000), None, "rack")
    }


def test_rules_say_whether_they_hold_and_what_they_decide(report: PriceReport) -> None:
    assert [(use.rule.name, use.holds, use.prices) for use in report.rules] == [
        ("EDP", True, 1),
        ("ended", False, 0),
        ("rack", True, 3),
    ]


def test_a_commitment_that_shares_its_machine_for_a_while_is_told_stretch_by_stretch() -> None:
    long, short = (
        f'[[commitment]]\nid = "{name}"\ncloud = "aws"\nregion = "us-east-1"\ncount = 1\n'
        f'instance_type = "c7i.xlarge"\nterm_years = {years}\nfrom = {begin}\nusd_per_hour = 0.1\n'
        for name, years, begin in (("a", 3, "2026-01-01"), ("b", 1, "2027-01-01"))
    )
    texts = {"instances.csv": TEXTS["instances.csv"], "resources.toml": long + short}
    rules = price_report(parse_book(texts, "prices"), NOW_US).rules
    assert [(use.rule.name, use.holds, use.prices) for use in rules] == [
        ("commitment a", True, 1),
        ("commitment a, b", False, 0),
        ("commitment a", False, 0),
    ]


def test_what_is_paid_upfront_is_spread_over_the_term(report: PriceReport) -> None:
    assert items(report.rows["commitments"]) == [
        ("c7i.xlarge", "standard, 3 years, partial upfront", Fraction(150_000), "hour")
    ]


def test_bytes_say_their_unit_and_which_tier_is_applied(report: PriceReport) -> None:
    beyond = "beyond 10,240 GB a month: not applied"
    assert items(report.rows["transfer"]) == [
        ("ingress", "", Fraction(0), "GB"),
        ("to internet", "", Fraction(90_000), "GB"),
        ("to internet", beyond, Fraction(85_000), "GB"),
    ]
    (kept,) = report.rows["storage"]
    assert (kept.item, kept.option, kept.per) == ("PD SSD", "block ssd", "GiB-month")
    assert kept.days is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["c7i.xlarge", "n2-standard-4", "dgx", "dgx", "dgx"]),
        ("C7I us-east-1", ["c7i.xlarge"]),
        ("edp", ["c7i.xlarge"]),
        ("spot gcp", ["n2-standard-4"]),
        ("berlin rack spot", ["dgx"]),
        ("c7i gcp", []),
        (".*", []),
    ],
)
def test_every_word_of_a_search_is_somewhere(
    report: PriceReport, text: str, found: list[str]
) -> None:
    assert [row.item for row in search(report.rows["machines"], text)] == found
