"""Why cost changed: drivers that add up to the change exactly, whatever the facts."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import TICKS_PER_USD
from costs.variance import NO_USAGE, Driver, Kind, Usage, Variance, explain_change
from costs.variance.drivers import settle

NUMBERS = st.one_of(
    st.integers(0, 3),
    st.integers(0, 10**6),
    st.integers(0, 10**33),
    st.fractions(0, 10**9, max_denominator=10**12),
)
POSITIVE = NUMBERS.map(lambda number: number + Fraction(1, 10**9))
REQUESTS = st.one_of(st.integers(0, 3), st.integers(0, 10**15))


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    requests, busy, cost = draw(REQUESTS), draw(NUMBERS), draw(NUMBERS)
    provisioned = draw(POSITIVE if busy and cost else NUMBERS)
    if draw(st.booleans()):
        provisioned = max(provisioned, busy)
    if draw(st.integers(0, 4)) == 0 and busy:
        provisioned = busy  # utilisation 1
    return Usage(requests, busy, provisioned, cost)


PERIODS = st.dictionaries(st.sampled_from("abcdef"), usages(), max_size=6)
REGULAR = st.builds(Usage, st.integers(1, 10**12), POSITIVE, POSITIVE, POSITIVE)


def total(period: dict[str, Usage]) -> Fraction:
    return sum((Fraction(usage.cost) for usage in period.values()), Fraction(0))


@given(before=PERIODS, after=PERIODS, apart=st.tuples(NUMBERS, NUMBERS))
def test_the_lines_add_up_to_the_change_exactly_for_any_facts(
    before: dict[str, Usage], after: dict[str, Usage], apart: tuple[Fraction, Fraction]
) -> None:
    found = explain_change(before, after, {"storage": apart})
    assert found.change == total(after) + apart[1] - total(before) - apart[0]
    assert sum(found.lines.values(), Fraction(0)) == found.change
    for row in found.contributions:
        parts = sum(row.drivers.values(), Fraction(0))
        assert parts == (row.change if row.kind is Kind.CONTINUING else 0)
    assert sum((row.change for row in found.contributions), Fraction(0)) == total(after) - total(
        before
    )


@given(before=PERIODS, after=PERIODS)
def test_the_way_back_has_the_same_drivers_with_the_other_sign(
    before: dict[str, Usage], after: dict[str, Usage]
) -> None:
    there, back = explain_change(before, after), explain_change(after, before)
    returned = {row.key: row for row in back.contributions}
    assert there.change == -back.change
    swapped = {Kind.NEW: Kind.RETIRED, Kind.RETIRED: Kind.NEW}
    for row in there.contributions:
        other = returned[row.key]
        assert other.kind is swapped.get(row.kind, row.kind)
        assert other.drivers == {driver: -part for driver, part in row.drivers.items()}


@given(period=PERIODS)
def test_a_period_compared_with_itself_has_no_driver(period: dict[str, Usage]) -> None:
    found = explain_change(period, period)
    assert not any(found.lines.values())


@given(before=REGULAR, after=REGULAR)
def test_a_single_model_has_no_mix_and_an_unchanged_factor_has_no_part(
    before: Usage, after: Usage
) -> None:
    found = explain_change({"m": before}, {"m": after}).drivers
    assert found[Driver.MIX] == 0
    dearer = Usage(before.requests, before.busy_us, before.provisioned_us, after.cost)
    only_price = explain_change({"m": before}, {"m": dearer}).drivers
    change = Fraction(after.cost) - before.cost
    assert only_price == {**dict.fromkeys(Driver, 0), Driver.PRICE: change}


@given(before=st.lists(REGULAR, min_size=1, max_size=4), data=st.data())
def test_drivers_are_those_of_the_formula_as_it_is_written(
    before: list[Usage], data: st.DataObject
) -> None:
    after = data.draw(st.lists(REGULAR, min_size=len(before), max_size=len(before)))
    found = explain_change(dict(enumerate(before)), dict(enumerate(after)))
    expected = [Decimal(0)] * 5
    with localcontext() as context:
        context.prec = 120
        v0, v1 = (sum(u.requests for u in period) for period in (before, after))
        for was, came in zip(before, after, strict=True):
            c0, c1 = decimal(Fraction(was.cost)), decimal(Fraction(came.cost))
            mean = c0 if c0 == c1 else (c1 - c0) / (c1 / c0).ln()
            for i, (x0, x1) in enumerate(zip(factors(was, v0), factors(came, v1), strict=True)):
                expected[i] += mean * (x1 / x0).ln()
        for by_hand, part in zip(expected, found.drivers.values(), strict=True):
            # Each model's part is rounded to a tick, or given one.
            assert abs(by_hand - decimal(Fraction(part))) <= Decimal("1.5") * len(before)


def factors(usage: Usage, all_requests: int) -> list[Decimal]:
    """Return V, s, w, 1/u and p."""
    requests, busy = Decimal(usage.requests), decimal(Fraction(usage.busy_us))
    provisioned, cost = decimal(Fraction(usage.provisioned_us)), decimal(Fraction(usage.cost))
    volume = Decimal(all_requests)
    utilization = busy / provisioned
    return [volume, requests / volume, busy / requests, 1 / utilization, cost / provisioned]


def decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def test_requests_double_and_work_doubles_each_drives_half_of_what_cost_rose() -> None:
    # Cost is four times as much. L(4c, c) = 3c / ln 4, and ln 2 / ln 4 is a half.
    before, after = Usage(10, 20, 40, 1_000), Usage(20, 80, 160, 4_000)
    found = explain_change({"m": before}, {"m": after}).drivers
    assert found == {
        Driver.VOLUME: 1_500,
        Driver.MIX: 0,
        Driver.WORK: 1_500,
        Driver.UTILIZATION: 0,
        Driver.PRICE: 0,
    }


def test_drivers_that_cancel_out_are_shown_all_the_same() -> None:
    # L(c, c) = c: twice the requests at half the price are plus and minus c ln 2.
    before, after = Usage(10, 10, 10, 10**6), Usage(20, 20, 20, 10**6)
    found = explain_change({"m": before}, {"m": after}).drivers
    assert (found[Driver.VOLUME], found[Driver.PRICE]) == (693_147, -693_147)


def test_traffic_that_moves_to_the_cheaper_model_is_mix() -> None:
    big, small = Usage(100, 400, 800, 800), Usage(100, 100, 200, 200)
    after = {"big": Usage(50, 200, 400, 400), "small": Usage(150, 150, 300, 300)}
    found = explain_change({"big": big, "small": small}, after)
    assert found.drivers == {**dict.fromkeys(Driver, 0), Driver.MIX: -300}


def test_better_used_machines_lower_the_cost_by_utilisation() -> None:
    before, after = Usage(10, 100, 400, 4 * TICKS_PER_USD), Usage(10, 100, 200, 2 * TICKS_PER_USD)
    found = explain_change({"m": before}, {"m": after}).drivers
    assert found == {**dict.fromkeys(Driver, 0), Driver.UTILIZATION: -2 * TICKS_PER_USD}


def test_what_came_and_what_went_stand_on_lines_of_their_own() -> None:
    stayed, gone, came = Usage(5, 10, 20, 30), Usage(5, 1, 2, 70), Usage(5, 7, 8, 90)
    found = explain_change(
        {"stayed": stayed, "gone": gone, "came": NO_USAGE}, {"stayed": stayed, "came": came}
    )
    own_lines = {"new": 90, "retired": -70, "zero_traffic": 0}
    assert found.lines == own_lines | {driver.value: 0 for driver in Driver}
    assert [(row.key, row.kind) for row in found.contributions] == [
        ("came", Kind.NEW), ("gone", Kind.RETIRED), ("stayed", Kind.CONTINUING)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "standing_by",
    [Usage(0, 0, 50, 40), Usage(0, 3, 50, 40), Usage(3, 0, 50, 40), Usage(3, 0, 0, 40)],
)
def test_machines_that_cost_without_requests_or_work_are_zero_traffic(standing_by: Usage) -> None:
    busy = Usage(5, 10, 20, 30)
    for before, after, change in ((standing_by, busy, -10), (busy, standing_by, 10)):
        found = explain_change({"m": before}, {"m": after})
        assert found.lines["zero_traffic"] == change
        assert not any(found.drivers.values())


def test_a_cost_that_begins_goes_to_the_factor_that_was_zero() -> None:
    served_from_cache, unpriced = Usage(5, 0, 0, 0), Usage(5, 10, 20, 0)
    executed = Usage(8, 10, 20, 30)
    assert explain_change({"m": served_from_cache}, {"m": executed}).drivers[Driver.WORK] == 30
    assert explain_change({"m": executed}, {"m": served_from_cache}).drivers[Driver.WORK] == -30
    assert explain_change({"m": unpriced}, {"m": executed}).drivers[Driver.PRICE] == 30


def test_the_limit_is_where_the_formula_leads_as_the_factor_goes_to_zero() -> None:
    executed = Usage(8, 10, 20, 10**6)
    tiny = Fraction(1, 10**3000)
    nearly_free = Usage(5, 10 * tiny, 20 * tiny, 10**6 * tiny)
    found = explain_change({"m": nearly_free}, {"m": executed}).drivers
    assert found[Driver.WORK] == pytest.approx(10**6, rel=1e-3)
    assert found[Driver.VOLUME] == pytest.approx(0, abs=10**3)


@pytest.mark.parametrize("empty", [{}, {"m": NO_USAGE}])
def test_an_empty_period_makes_everything_new_or_retired(empty: dict[str, Usage]) -> None:
    some = {"m": Usage(1, 1, 2, 5), "idle": Usage(0, 0, 9, 7)}
    assert explain_change(empty, some).lines["new"] == 12
    assert explain_change(some, empty).lines["retired"] == -12
    nothing: dict[str, Usage] = {}
    assert explain_change(empty, nothing).contributions == ()
    assert explain_change(empty, nothing).change == 0


def test_what_belongs_to_no_model_has_its_own_line_after_all_others() -> None:
    found: Variance[str] = explain_change({}, {}, {"storage": (5, 8), "unused": (4, 0)})
    assert list(found.lines)[-2:] == ["storage", "unused"]
    assert (found.before, found.after, found.lines["unused"]) == (9, 8, -4)


@pytest.mark.parametrize("name", ["volume", "retired"])
def test_another_line_may_not_take_the_name_of_a_driver(name: str) -> None:
    with pytest.raises(ValueError, match=f"others has '{name}'; accepted: none of volume, mix"):
        explain_change({"m": NO_USAGE}, {}, {name: (1, 2)})


def test_another_line_may_be_below_zero_but_not_a_float() -> None:
    nothing: dict[str, Usage] = {}
    assert explain_change(nothing, nothing, {"credit": (-5, -8)}).change == -3
    with pytest.raises(ValueError, match="others 'tax' after is "):
        explain_change(nothing, nothing, {"tax": (1, 0.5)})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("requests", (-1, 0, 0, 0)),
        ("requests", (True, 0, 0, 0)),
        ("requests", (Fraction(1), 0, 0, 0)),
        ("busy_us", (1, -1, 0, 0)),
        ("cost", (1, 1, 1, 0.5)),
        ("cost", (1, 1, 1, float("nan"))),
        ("provisioned_us", (1, 1, 0, 1)),
        ("provisioned_us", (1, 1, Decimal(2), 1)),
    ],
)
def test_numbers_that_are_not_exact_or_impossible_are_refused(
    field: str, arguments: tuple[int, int, int, int]
) -> None:
    with pytest.raises(ValueError, match=f"^{field} is .*accepted: "):
        Usage(*arguments)


def test_ticks_left_over_go_to_the_largest_remainder_and_the_rest_to_the_next() -> None:
    parts = [Decimal("0.15"), Decimal("0.45"), Decimal("0.4")]
    assert settle(parts, 1) == [0, 1, 0]
    assert settle(parts, Fraction(5, 4)) == [0, 1, Fraction(1, 4)]
    assert settle([Decimal("1.6"), Decimal("1.7"), Decimal("0.7")], 4) == [1, 2, 1]
    assert settle([Decimal("0.4"), Decimal("0.4"), Decimal("0.2")], 1) == [1, 0, 0]


def test_a_fraction_of_a_tick_beyond_all_digits_does_not_go_to_a_part_of_zero() -> None:
    before, after = Usage(1, 1, 1, 1), Usage(1, 1, 1, 2 + Fraction(1, 10**60))
    found = explain_change({"m": before}, {"m": after}).drivers
    assert found == {**dict.fromkeys(Driver, 0), Driver.PRICE: 1 + Fraction(1, 10**60)}


@given(parts=st.lists(st.decimals(-(10**6), 10**6, places=5), min_size=1, max_size=5))
def test_the_last_ticks_go_to_those_that_lost_most_and_never_to_a_part_of_zero(
    parts: list[Decimal],
) -> None:
    whole = sum(map(Fraction, parts), Fraction(0))
    settled = settle(parts, whole)
    assert sum(settled) == whole
    for part, ticks in zip(parts, settled, strict=True):
        assert abs(Fraction(part) - ticks) < Fraction(3, 2)
        assert part or not ticks
    assert [-ticks for ticks in settled] == settle([-part for part in parts], -whole)
