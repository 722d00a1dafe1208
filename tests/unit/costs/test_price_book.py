"""Everything of a book is looked up by what it is of and an instant."""

from collections.abc import Mapping
from fractions import Fraction

import pytest

from costs import Catalogue, Machine, Price, PriceBook, PriceFileError, PriceMissingError
from costs.price_folder import parse_book, parse_catalogue
from costs.prices.transfer import parse_transfers

FROM_2026_US = 1_767_225_600_000_000
INSTANCES = (
    "cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source\n"
    "aws,us-east-1,c7i.xlarge,on_demand,0.1785,,2025-04-04,list\n"
)
TEXTS = {
    "instances.csv": INSTANCES,
    "transfer.csv": (
        "cloud,region,to,tier_from,usd,per,valid_from,as_of,source\n"
        "aws,us-east-1,internet,0,0.09,GB,,2024,s\n"
        "aws,us-east-1,internet,0,0.08,GB,2026-01-01,2026,s\n"
        "aws,us-east-1,other_regions,0,0.02,GB,,2024,s\n"
        "aws,us-east-1,us-east-2,0,0.01,GB,,2024,s\n"
        "aws,us-east-1,inter_zone,0,0.01,GB,,2024,s\n"
    ),
    "storage.csv": (
        "cloud,region,storage_class,product,usd,per,valid_from,as_of,source\n"
        "aws,us-east-1,object_standard,S3 Standard,0.023,GB-month,2026-01-01,2026,s\n"
    ),
    "commitments.csv": (
        "cloud,region,instance_type,offering,term_years,payment,upfront_usd_per_term,"
        "usd_per_hour,valid_from,as_of,source\n"
        "aws,us-east-1,c7i.xlarge,standard,1,no_upfront,0,0.12,,2025,s\n"
        "aws,us-east-1,c7i.xlarge,standard,3,all_upfront,2102.4,0,,2025,s\n"
    ),
    "prices.toml": '[[discount]]\nname = "EDP"\npercent = 10\n',
}


@pytest.fixture
def book() -> PriceBook:
    return parse_book(TEXTS, "prices")


def test_a_later_row_supersedes_an_earlier_one_from_its_day_on(book: PriceBook) -> None:
    found = [
        book.transfer_at("aws", "us-east-1", "internet", at).micro_usd
        for at in (0, FROM_2026_US - 1, FROM_2026_US)
    ]
    assert found == [90_000, 90_000, 80_000]
    assert book.changes() == [0, FROM_2026_US]


def test_a_region_has_its_own_price_or_that_of_other_regions(book: PriceBook) -> None:
    assert book.transfer_at("aws", "us-east-1", "us-east-2", 0).micro_usd == 10_000
    assert book.transfer_at("aws", "us-east-1", "eu-west-1", 0).micro_usd == 20_000


@pytest.mark.parametrize("to", ["us-east-1", "ingress"])
def test_what_stays_or_comes_in_is_never_priced_as_what_goes_to_other_regions(
    book: PriceBook, to: str
) -> None:
    with pytest.raises(PriceMissingError, match=f"transfer from aws us-east-1 to {to}"):
        book.transfer_at("aws", "us-east-1", to, 0)


def test_what_has_no_price_yet_is_missing(book: PriceBook) -> None:
    place = ("aws", "us-east-1", "object_standard")
    assert book.storage_at(*place, FROM_2026_US).price.micro_usd == 23_000
    with pytest.raises(PriceMissingError, match="object_standard storage in aws us-east-1"):
        book.storage_at(*place, FROM_2026_US - 1)


def test_commitments_stand_by_what_an_hour_costs_all_in_all(book: PriceBook) -> None:
    # 2,102.40 USD over 3 x 8,760 hours are 0.08 USD an hour: less than 0.12.
    offers = book.commitments_at("aws", "us-east-1", "c7i.xlarge", 0)
    assert [(o.term_years, o.effective.micro_usd) for o in offers] == [
        (3, Fraction(80_000)),
        (1, Fraction(120_000)),
    ]
    assert book.commitments_at("aws", "us-east-1", "c7i.large", 0) == []


def test_the_users_rules_are_over_the_machines_of_a_book(book: PriceBook) -> None:
    machine = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
    assert book.machines.at(machine, 0).micro_usd_per_hour == 160_650
    assert parse_catalogue(TEXTS, "prices").at(machine, 0) == book.machines.at(machine, 0)


def test_a_book_of_machines_alone_knows_nothing_else() -> None:
    machine = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
    book = PriceBook(Catalogue([Price(machine, 1, None, "2026", "test")]))
    assert not book.instance_types
    assert not book.latencies
    assert book.changes() == [0]
    with pytest.raises(PriceMissingError):
        book.transfer_at("aws", "us-east-1", "internet", 0)


def change(**texts: str) -> Mapping[str, str]:
    return {**TEXTS, **{f"{name}.csv": text for name, text in texts.items()}}


def test_a_key_that_stands_twice_is_told_with_the_folder() -> None:
    latency = "cloud,region,to,rtt_p50_us,rtt_p95_us,as_of,source\n" + "aws,a,b,1,,2025,s\n" * 2
    for texts, told in (
        (change(instances=INSTANCES + INSTANCES.split("\n")[1] + "\n"), "c7i.xlarge in us-east-1"),
        (change(region_latency=latency), "aws a b: stands there twice"),
    ):
        with pytest.raises(PriceFileError, match=f"prices: .*{told}"):
            parse_book(texts, "prices")


def test_tiers_of_two_prices_that_are_mixed_are_refused() -> None:
    rows = ("internet,0,0.09", "inter_zone,0,0.01", "internet,10240,0.085")
    text = "cloud,region,to,tier_from,usd,per,valid_from,as_of,source\n" + "".join(
        f"aws,r,{row},GB,,2024,s\n" for row in rows
    )
    with pytest.raises(PriceFileError, match="tier_from is '10240'; accepted: tiers from 0 on"):
        list(parse_transfers(text, "transfer.csv"))
