"""Amounts as they are spelled: what is shown beside each other adds up as it is shown."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from costs import TICKS_PER_USD, Ticks
from reports.weekly.amount import spell_exact, spell_steps, spell_ticks

MINUS = "\N{MINUS SIGN}"
CENT = Fraction(TICKS_PER_USD, 100)


def read(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace(MINUS, "-"))


def test_a_change_has_its_sign() -> None:
    assert spell_steps(123_450 * CENT, [-Fraction(25, 2) * CENT]) == (
        "1,234.50",
        [f"{MINUS}0.12"],
        "1,234.38",
    )


def test_what_is_not_known_is_a_dash() -> None:
    assert spell_ticks(None) == "\N{EN DASH}"


def test_parts_have_the_decimals_that_the_largest_needs() -> None:
    assert spell_steps(100 * CENT, [-CENT]) == ("1.00", [f"{MINUS}0.01"], "0.99")
    assert spell_steps(CENT, [CENT / 1000]) == ("0.0100", ["+0.0000"], "0.0100")
    assert spell_steps(0, []) == ("0.00", [], "0.00")


def test_half_a_cent_is_rounded_to_the_even_one_wherever_it_stands() -> None:
    # 50 hours of 0.1785 USD are 8.925 USD, which no binary fraction is.
    half = 50 * 178_500 * 3_600_000_000
    assert spell_ticks(half) == "8.92"
    assert spell_steps(half, [0])[0] == spell_steps(0, [half])[2] == "8.92"


def test_both_ends_of_a_bridge_are_what_they_are_elsewhere() -> None:
    # Were all three parts rounded alike, the first would be told as 10.01.
    assert spell_steps(Fraction("1000.4") * CENT, [Fraction("0.4") * CENT]) == (
        "10.00",
        ["+0.01"],
        "10.01",
    )
    # Of those that lost as much when rounded down, the first one is rounded up.
    assert spell_steps(Fraction("1000.4") * CENT, [CENT / 10, CENT / 10]) == (
        "10.00",
        ["+0.01", "+0.00"],
        "10.01",
    )


def test_an_exact_amount_shows_twelve_decimals() -> None:
    assert spell_exact(Fraction(TICKS_PER_USD, 3) + 1000 * TICKS_PER_USD) == "1,000.333333333333"


ticks = (
    st.integers(-(10**22), 10**22)
    | st.fractions(-(10**18), 10**18)
    | st.integers(-(10**4), 10**4).map(lambda halves: halves * CENT / 2)
)


@given(ticks, st.lists(ticks, max_size=8))
def test_steps_as_they_are_shown_lead_from_one_end_to_the_other(
    before: Ticks, changes: list[Ticks]
) -> None:
    start, steps, end = spell_steps(before, changes)
    shown = [read(text) for text in steps]
    assert read(start) + sum(shown) == read(end)
    unit = Fraction(1, 10 ** -int(read(start).as_tuple().exponent))
    for text, exact in ((start, before), (end, sum(changes, Fraction(before)))):
        assert Fraction(read(text)) == round(Fraction(exact) / TICKS_PER_USD / unit) * unit
    for amount, change in zip(shown, changes, strict=True):
        assert abs(Fraction(amount) - Fraction(change) / TICKS_PER_USD) <= unit
        assert change or not amount
