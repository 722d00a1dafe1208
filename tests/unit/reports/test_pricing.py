"""A rate remembers what had no price, and what it says of an instant depends on no other."""

from costs import Catalogue, Machine, Price
from reports.pricing import Pricing

MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
BEGIN_US = 1_000_000


def test_a_machine_is_known_from_its_first_price_on_whatever_was_asked_before() -> None:
    price = Price(MACHINE, 178_500, BEGIN_US, "2026-11-01", "list")
    pricing = Pricing(Catalogue([price]))
    asked = (BEGIN_US, BEGIN_US - 1, BEGIN_US)
    assert [pricing.knows(MACHINE, at) for at in asked] == [True, False, True]
    assert [pricing.rate(MACHINE, at) for at in asked] == [178_500, 0, 178_500]
    assert pricing.missing == {MACHINE}
    assert pricing.used == {MACHINE: price}


def test_a_price_of_nothing_is_a_price() -> None:
    pricing = Pricing(Catalogue([Price(MACHINE, 0, None, "2026-11-01", "list")]))
    assert pricing.knows(MACHINE, 0)
    assert not pricing.missing
