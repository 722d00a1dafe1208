"""The user's rules win over the list, are shown as such, and never decide by accident."""

from datetime import UTC, datetime
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import (
    Catalogue,
    Machine,
    Overrides,
    Price,
    PriceFileError,
    PriceMissingError,
    parse_overrides,
)
from costs.prices.override import Discount, Fixed, Rule, Scope

G5 = Machine("aws", "us-east-1", "g5.xlarge", "on_demand")
G5_SPOT = Machine("aws", "us-east-1", "g5.xlarge", "spot")
C7I = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
N2 = Machine("gcp", "us-east1", "n2-standard-4", "on_demand")
RACK = Machine("own", "berlin", "dgx-a100", "on_demand")
LISTED = [
    Price(machine, micro, None, "2026-01-01", "the list")
    for machine, micro in ((G5, 1_006_000), (G5_SPOT, 400_001), (C7I, 178_500), (N2, 194_236))
]


def day_us(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1_000_000


MAY = day_us(2026, 5, 1)


def book(text: str) -> Catalogue:
    return Catalogue(LISTED, parse_overrides(text, "prices.toml"))


def discount(name: str, percent: str, *conditions: str) -> str:
    lines = ["[[discount]]", f'name = "{name}"', f"percent = {percent}", *conditions, ""]
    return "\n".join(lines)


def test_a_discount_is_shown_with_its_name_and_the_list_price() -> None:
    found = book(discount("EDP", "12.5", 'cloud = "aws"')).at(G5, MAY)
    assert (found.micro_usd_per_hour, found.list_micro_usd_per_hour) == (880_250, 1_006_000)
    assert (found.override, found.source, found.as_of) == ("EDP", "the list", "2026-01-01")
    assert book(discount("EDP", "12.5", 'cloud = "aws"')).at(N2, MAY) == LISTED[3]


def test_a_discounted_price_is_rounded_half_to_even_to_whole_micro_usd() -> None:
    # Half of 400,001 is 200,000.5, of 178,500 exactly 89,250, and 15 % off 178,500 is 151,725.
    assert book(discount("half", "50")).at(G5_SPOT, MAY).micro_usd_per_hour == 200_000
    assert book(discount("half", "50")).at(C7I, MAY).micro_usd_per_hour == 89_250
    assert book(discount("some", "15")).at(C7I, MAY).micro_usd_per_hour == 151_725
    assert book(discount("all", "100")).at(C7I, MAY).micro_usd_per_hour == 0


def test_a_rule_holds_from_its_first_day_until_before_its_last() -> None:
    period = ("valid_from = 2026-04-01", "valid_to = 2026-05-01")
    prices = book(discount("April", "50", *period))
    begin, end = day_us(2026, 4, 1), day_us(2026, 5, 1)
    found = [prices.at(C7I, at).override for at in (begin - 1, begin, end - 1, end)]
    assert found == [None, "April", "April", None]
    assert prices.changes() == [0, begin, end]
    assert prices.at(C7I, begin).valid_from_us == begin


def test_a_later_list_price_is_discounted_from_its_own_beginning() -> None:
    later = Price(C7I, 200_000, MAY, "2026-05-01", "the next list")
    prices = Catalogue([*LISTED, later], parse_overrides(discount("half", "50"), "prices.toml"))
    assert prices.at(C7I, MAY - 1).micro_usd_per_hour == 89_250
    found = prices.at(C7I, MAY)
    assert (found.micro_usd_per_hour, found.as_of) == (100_000, "2026-05-01")


def test_a_price_goes_on_while_rules_begin_and_end_that_do_not_decide_it() -> None:
    wide = discount("EDP", "10", 'cloud = "aws"', "valid_from = 2026-01-01")
    other = discount("GCP", "10", 'cloud = "gcp"', "valid_from = 2026-04-01")
    wider = discount("all", "5", "valid_from = 2026-03-01", "valid_to = 2026-04-15")
    found = book(wide + other + wider).at(C7I, MAY)
    assert (found.override, found.valid_from_us) == ("EDP", day_us(2026, 1, 1))


def test_patterns_and_purchase_options_narrow_a_rule() -> None:
    prices = book(discount("GPUs", "10", 'instance_type = "g5.*"', 'purchase_option = "spot"'))
    assert [prices.at(m, MAY).override for m in (G5_SPOT, G5, C7I)] == ["GPUs", None, None]
    assert book(discount("US", "10", 'region = "us-east-?"')).at(N2, MAY).override is None
    assert book(discount("AWS", "10", 'cloud = " aws "')).at(C7I, MAY).override == "AWS"


def test_a_rule_for_less_wins_over_a_rule_for_more_in_whatever_order() -> None:
    wide = discount("EDP", "10", 'cloud = "aws"')
    narrow = discount("GPUs", "25", 'cloud = "aws"', 'instance_type = "g5.*"')
    for text in (wide + narrow, narrow + wide):
        prices = book(text)
        assert [prices.at(m, MAY).override for m in (G5, C7I, N2)] == ["GPUs", "EDP", None]


def test_a_fixed_price_wins_over_a_discount_and_keeps_the_list_price_in_sight() -> None:
    fixed = """
        [[fixed]]
        name = "private offer"
        cloud = "aws"
        instance_type = "g5.xlarge"
        purchase_option = "on_demand"
        usd_per_hour = 0.777777
        as_of = 2026-02-03
        """
    found = book(discount("EDP", "10") + fixed).at(G5, MAY)
    assert (found.micro_usd_per_hour, found.list_micro_usd_per_hour) == (777_777, 1_006_000)
    assert (found.override, found.as_of, found.source) == (
        "private offer",
        "2026-02-03",
        "prices.toml",
    )


def test_own_machines_have_a_price_whatever_purchase_option_a_node_states() -> None:
    prices = book(
        """
        [[own]]
        name = "rack 7"
        region = "berlin"
        instance_type = "dgx-a100"
        usd_per_hour = 9.8
        as_of = 2026-02-01
        source = "depreciation sheet of 2026"
        valid_from = 2026-02-01
        """
    )
    found = prices.at(RACK, MAY)
    assert (found.micro_usd_per_hour, found.list_micro_usd_per_hour) == (9_800_000, None)
    assert (found.override, found.source) == ("rack 7", "depreciation sheet of 2026")
    own = [m for m in prices.machines() if m.cloud == "own"]
    assert [m.purchase_option for m in own] == ["on_demand", "reserved", "spot"]
    with pytest.raises(PriceMissingError, match="no price for own dgx-a100 in berlin"):
        prices.at(RACK, day_us(2026, 1, 31))


def test_no_rules_change_nothing() -> None:
    assert book("\ufeff# nothing yet\n").at(C7I, MAY) == LISTED[2]
    assert len(book("")) == len(LISTED) == len(list(book("")))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[discount", "prices.toml: "),
        ("[[rebate]]\n", "'rebate' is unknown; accepted: discount, fixed, own"),
        ("[discount]\npercent = 1\n", "discount is no list of tables; accepted: [[discount]]"),
        ("discount = 3\n", "discount is no list of tables"),
        (discount("x", "10", 'clod = "aws"'), "discount 1 ('x'): clod is unknown; accepted"),
        ('[[discount]]\nname = "x"\n', "percent is missing"),
        ("[[discount]]\npercent = 1\n", "discount 1: name is missing"),
        (discount("", "10"), "name is ; accepted: a text in quotes"),
        (discount("x", "0"), "percent is 0; accepted: a percentage above 0, at most 100"),
        (discount("x", "-5"), "percent is -5"),
        (discount("x", "100.1"), "percent is 100.1"),
        (discount("x", "nan"), "percent is NaN"),
        (discount("x", "true"), "percent is True"),
        (discount("x", '"10"'), "percent is 10; accepted: a percentage"),
        (discount("x", "10", 'valid_from = "2026-01-01"'), "valid_from is 2026-01-01; accepted: a"),
        (discount("x", "10", "valid_from = 2026-01-01T10:00:00Z"), "accepted: a date like"),
        (discount("x", "10", "valid_from = 2026-02-30"), "prices.toml: "),
        (discount("x", "10", "valid_from = 1969-12-31"), "accepted: a date of 1970 or later"),
        (
            discount("x", "10", "valid_from = 2026-05-01", "valid_to = 2026-05-01"),
            "valid_to is 2026-05-01; accepted: a day after valid_from",
        ),
        (discount("x", "10", 'purchase_option = "rented"'), "accepted: on_demand, spot, reserved"),
        (discount("x", "10", 'region = "us-[ew]*"'), "accepted: a name or a pattern with * and ?"),
        (discount("x", "10", f'region = "{"a" * 101}"'), "at most 100 long"),
        (
            discount("x", "10", 'cloud = "aws"') + discount("x", "10", 'cloud = "gcp"'),
            "two rules have the name 'x'",
        ),
        (
            '[[own]]\nname = "r"\nregion = "b"\ninstance_type = "d"\nas_of = 2026-01-01\n'
            "usd_per_hour = -1\n",
            "usd_per_hour is -1; accepted: USD per hour, zero to 10^12",
        ),
        (
            '[[own]]\nname = "r"\nregion = "b"\ninstance_type = "d"\nas_of = 2026-01-01\n'
            "usd_per_hour = 0.0000001\n",
            "at most six decimals",
        ),
        (
            '[[own]]\nname = "r"\nregion = "b"\ninstance_type = "d"\nas_of = 2026-01-01\n'
            "usd_per_hour = 1e999999\n",
            "usd_per_hour is 1E+999999; accepted: USD per hour, zero to 10^12",
        ),
        (
            '[[own]]\nname = "r"\nregion = "b"\ninstance_type = "d"\nusd_per_hour = 1\n',
            "as_of is missing",
        ),
        (
            '[[own]]\nname = "r"\ncloud = "aws"\nregion = "b"\ninstance_type = "d"\n'
            "usd_per_hour = 1\nas_of = 2026-01-01\n",
            "cloud is unknown",
        ),
        (
            '[[fixed]]\nname = "f"\ncloud = "aws"\ninstance_type = "d"\nusd_per_hour = 1\n'
            "as_of = 2026-01-01\n",
            "purchase_option is missing",
        ),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_field_value_and_remedy(
    text: str, complaint: str
) -> None:
    with pytest.raises(PriceFileError, match=r"^prices\.toml") as refused:
        parse_overrides(text, "prices.toml")
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((), ()),
        (('cloud = "aws"',), ('instance_type = "g5.*"',)),
        (('instance_type = "g5.*"',), ('instance_type = "*.xlarge"',)),
        (('cloud = "aws"', "valid_to = 2026-05-02"), ('cloud = "aws"', "valid_from = 2026-05-01")),
    ],
)
def test_rules_that_contradict_each_other_are_refused_by_name(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    with pytest.raises(PriceFileError, match="the rules 'one' and 'other' are for some of the sam"):
        parse_overrides(discount("one", "10", *one) + discount("other", "20", *other), "p")


def test_rules_that_follow_each_other_or_are_apart_are_no_contradiction() -> None:
    text = (
        discount("2025", "10", 'cloud = "aws"', "valid_to = 2026-01-01")
        + discount("2026", "12", 'cloud = "aws"', "valid_from = 2026-01-01")
        + discount("other cloud", "5", 'cloud = "gcp"')
    )
    prices = book(text)
    assert prices.at(C7I, day_us(2025, 12, 31)).override == "2025"
    assert prices.at(C7I, day_us(2026, 1, 1)).override == "2026"
    assert prices.at(N2, MAY).override == "other cloud"


SCOPES = st.builds(
    Scope,
    cloud=st.sampled_from(["*", "aws", "gcp"]),
    instance_type=st.sampled_from(["*", "g5.*", "*.xlarge", "g5.xlarge", "c7i.*"]),
    purchase_option=st.sampled_from(["*", "spot"]),
)
EFFECTS = st.one_of(
    st.builds(Discount, st.fractions(1, 100)),
    st.builds(Fixed, st.integers(0, 10**7), st.just("2026-01-01"), st.just("test")),
)
DAYS = st.one_of(st.none(), st.integers(1, 6))


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    kept: list[Rule] = []
    for number in range(draw(st.integers(0, 5))):
        begin, end = draw(DAYS), draw(DAYS)
        if begin is None or end is None or begin < end:
            rule = Rule(f"rule {number}", draw(SCOPES), draw(EFFECTS), begin, end)
            try:
                Overrides([*kept, rule])
            except PriceFileError:
                continue
            kept.append(rule)
    return kept


@given(rules(), st.randoms(use_true_random=False))
def test_the_order_of_rules_never_matters(kept: list[Rule], rng: Random) -> None:
    shuffled = list(kept)
    rng.shuffle(shuffled)
    one, other = Catalogue(LISTED, Overrides(kept)), Catalogue(LISTED, Overrides(shuffled))
    for machine in (G5, G5_SPOT, C7I, N2):
        for at in range(8):
            assert one.at(machine, at) == other.at(machine, at)


@given(rules())
def test_between_two_changes_every_price_is_constant(kept: list[Rule]) -> None:
    prices = Catalogue(LISTED, Overrides(kept))
    changes = prices.changes()
    for machine in (G5, G5_SPOT, C7I, N2):
        for at in range(8):
            begin = max(change for change in changes if change <= at)
            assert prices.at(machine, at) == prices.at(machine, begin)


@given(rules())
def test_a_price_in_force_is_that_of_a_rule_or_of_the_list(kept: list[Rule]) -> None:
    prices = Catalogue(LISTED, Overrides(kept))
    by_name = {rule.name: rule for rule in kept}
    for listed in LISTED:
        for at in range(8):
            found = prices.at(listed.machine, at)
            if found.override is None:
                assert found == listed
                continue
            assert found.list_micro_usd_per_hour == listed.micro_usd_per_hour
            match by_name[found.override].effect:
                case Fixed(micro):
                    assert found.micro_usd_per_hour == micro
                case Discount(percent):
                    exact = Fraction(listed.micro_usd_per_hour) * (100 - percent) / 100
                    assert abs(found.micro_usd_per_hour - exact) <= Fraction(1, 2)
