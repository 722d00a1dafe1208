"""Prices are dated facts, looked up at an instant."""

import pytest

from costs import Catalogue, Machine, Price, PriceMissingError

MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
DAY_US = 86_400_000_000


def price(micro: int, valid_from_us: int | None) -> Price:
    return Price(MACHINE, micro, valid_from_us, "2026-01-01", "test")


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
