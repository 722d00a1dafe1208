"""Prices are dated facts: read strictly, looked up at an instant."""

from pathlib import Path

import pytest

from costs import (
    Catalogue,
    Machine,
    Price,
    PriceFileError,
    PriceMissingError,
    format_prices,
    parse_prices,
)

SHIPPED = Path(__file__).parents[3] / "data/prices/instances.csv"
MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
HEADER = "cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source"
DAY_US = 86_400_000_000


def price(micro: int, valid_from_us: int | None) -> Price:
    return Price(MACHINE, micro, valid_from_us, "2026-01-01", "test")


def test_the_shipped_prices_are_read_and_written_back_unchanged() -> None:
    text = SHIPPED.read_text()
    prices = list(parse_prices(text, "instances.csv"))
    assert format_prices(prices) == text
    assert len(Catalogue(prices)) == len(prices) > 900
    assert all(price.source and price.as_of for price in prices)


def test_the_price_in_force_is_the_last_that_began() -> None:
    book = Catalogue([price(3, 30 * DAY_US), price(1, None), price(2, 20 * DAY_US)])
    found = [book.at(MACHINE, day * DAY_US).micro_usd_per_hour for day in (0, 19, 20, 29, 30, 99)]
    assert found == [1, 1, 2, 2, 3, 3]
    assert book.changes() == [0, 20 * DAY_US, 30 * DAY_US]


def test_no_price_before_the_first_began_and_none_for_an_unknown_machine() -> None:
    book = Catalogue([price(2, 20 * DAY_US)])
    with pytest.raises(PriceMissingError, match=r"c7i\.xlarge in us-east-1"):
        book.at(MACHINE, 19 * DAY_US)
    with pytest.raises(PriceMissingError, match="azure"):
        book.at(Machine("azure", "westeurope", "D2", "spot"), 19 * DAY_US)


def test_two_prices_that_begin_together_are_refused() -> None:
    with pytest.raises(ValueError, match="same instant"):
        Catalogue([price(1, None), price(2, 0)])


def test_comments_and_blank_lines_are_skipped_and_lines_still_counted() -> None:
    text = f"# prices\n\n{HEADER}\n# a note\naws,r,t,spot,x,,2026,s\n"
    with pytest.raises(PriceFileError, match="book line 5: usd_per_hour is 'x'"):
        list(parse_prices(text, "book"))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("aws,r,t,spot,0.5,,2026", "8 fields expected, found 7"),
        (",r,t,spot,0.5,,2026,s", "cloud is empty"),
        ("aws,r,t,spot,0.5,,,s", "as_of is empty"),
        ("aws,r,t,rented,0.5,,2026,s", "purchase_option is 'rented'; accepted: on_demand"),
        ("aws,r,t,spot,-1,,2026,s", "usd_per_hour is '-1'"),
        ("aws,r,t,spot,nan,,2026,s", "usd_per_hour is 'nan'"),
        ("aws,r,t,spot,Infinity,,2026,s", "usd_per_hour is 'Infinity'"),
        ("aws,r,t,spot,0.1234567,,2026,s", "at most six decimals"),
        ("aws,r,t,spot,0.5,yesterday,2026,s", "valid_from is 'yesterday'; accepted: a date"),
    ],
)
def test_a_wrong_row_is_refused_with_line_field_value_and_remedy(row: str, complaint: str) -> None:
    with pytest.raises(PriceFileError, match="book line 2") as refused:
        list(parse_prices(f"{HEADER}\n{row}\n", "book"))
    assert complaint in str(refused.value)


@pytest.mark.parametrize("text", ["", "cloud,region\n", "a,b,c\n1,2,3\n"])
def test_a_wrong_header_is_refused(text: str) -> None:
    with pytest.raises(PriceFileError, match="header must be cloud,region"):
        list(parse_prices(text, "book"))
