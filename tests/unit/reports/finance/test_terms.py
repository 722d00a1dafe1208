"""On what terms machine time is charged."""

from fractions import Fraction

from costs import Catalogue, Machine, Price
from costs.prices.override import Discount, Overrides, Rule, Scope
from costs.resources import Commitment
from reports.finance.terms import MachineTerms

SPOT, ON_DEMAND, RESERVED = (
    Machine("aws", "us-east-1", "c7i.xlarge", option)
    for option in ("spot", "on_demand", "reserved")
)
COMMITMENT = Commitment("ri-1", RESERVED, 1, 1, 0, 10**15, 100_000, 0)
PRICES = [
    Price(SPOT, 70_000, None, "2025", "test"),
    Price(ON_DEMAND, 178_500, None, "2025", "test"),
    Price(RESERVED, 120_000, None, "2025", "test"),
]
TEN_PERCENT = Overrides([Rule("edp", Scope(purchase_option="on_demand"), Discount(Fraction(10)))])


def terms(overrides: Overrides = TEN_PERCENT, prices: list[Price] = PRICES) -> MachineTerms:
    return MachineTerms(Catalogue(prices, overrides))


def known(found: object) -> tuple[object, ...]:
    names = ("list_micro_usd", "contracted_micro_usd", "category")
    return tuple(getattr(found, name) for name in names)


def test_a_negotiated_discount_makes_the_contracted_price_less_than_the_list_price() -> None:
    assert known(terms().of(ON_DEMAND, 0)) == (178_500, 160_650, "Standard")


def test_spot_is_dynamic_and_its_list_price_is_its_own() -> None:
    assert known(terms().of(SPOT, 0)) == (70_000, 70_000, "Dynamic")


def test_reserved_without_a_declared_commitment_is_a_price_below_the_list() -> None:
    assert known(terms().of(RESERVED, 0)) == (178_500, 120_000, "Standard")


def test_what_a_commitment_covers_is_shown_at_what_it_would_be_without() -> None:
    found = terms().of(RESERVED, 0, COMMITMENT)
    assert known(found) == (178_500, 160_650, "Committed")
    assert found is not None
    assert found.commitment == COMMITMENT


def test_beyond_the_commitment_time_is_billed_on_demand() -> None:
    found = terms().beyond(RESERVED, 0)
    assert known(found) == (178_500, 160_650, "Standard")
    assert found is not None
    assert found.machine == ON_DEMAND


def test_beyond_a_commitment_that_is_dearer_than_on_demand_its_own_price_counts() -> None:
    dear = [Price(RESERVED, 200_000, None, "2025", "test"), *PRICES[:2]]
    assert known(terms(prices=dear).beyond(RESERVED, 0)) == (200_000, 200_000, "Standard")


def test_without_a_price_on_demand_the_reserved_one_stands_for_it() -> None:
    alone = terms(prices=PRICES[2:])
    assert known(alone.of(RESERVED, 0)) == (120_000, 120_000, "Standard")
    assert known(alone.of(RESERVED, 0, COMMITMENT)) == (120_000, 120_000, "Committed")
    assert known(alone.beyond(RESERVED, 0)) == (120_000, 120_000, "Standard")


def test_a_machine_without_a_price_has_no_terms() -> None:
    found = terms(prices=[])
    assert found.of(SPOT, 0) is None
    assert found.beyond(RESERVED, 0) is None
