"""The largest changes, each with what drove it."""

from fractions import Fraction

import pytest
from hypothesis import given

from costs.variance import Cause, Usage, explain_change, top_movers
from costs.variance.movers import causes_of
from tests.unit.costs.variance.test_change import PERIODS


def test_movers_are_told_with_cause_and_with_what_the_cause_was_before_and_after() -> None:
    before = {
        "grew": Usage(100, 1_000, 2_000, 2_000),
        "slower": Usage(100, 1_000, 2_000, 2_000),
        "same": Usage(100, 1_000, 2_000, 2_000),
        "gone": Usage(1, 10, 20, 700),
    }
    after = {
        "grew": Usage(300, 3_000, 6_000, 6_000),
        "slower": Usage(100, 1_500, 3_000, 3_000),
        "same": Usage(100, 1_000, 2_000, 2_000),
    }
    movers = top_movers(explain_change(before, after).contributions, 5)
    told = [(m.key, m.change, m.cause, m.factor_before, m.factor_after) for m in movers]
    assert told == [
        ("grew", 4_000, Cause.REQUESTS, 100, 300),
        ("slower", 1_000, Cause.WORK, 10, 15),
        ("gone", -700, Cause.RETIRED, None, None),
    ]
    assert [m.key for m in top_movers(explain_change(before, after).contributions, 1)] == ["grew"]


def test_utilisation_and_price_are_told_as_a_ratio_and_as_micro_usd_per_worker_hour() -> None:
    before = {"idle": Usage(10, 500, 1_000, 89_250_000), "dear": Usage(10, 50, 100, 1_000)}
    after = {"idle": Usage(10, 500, 2_000, 178_500_000), "dear": Usage(10, 50, 100, 9_000)}
    idle, dear = top_movers(explain_change(before, after).contributions, 2)
    assert idle.cause is Cause.UTILIZATION
    assert (idle.factor_before, idle.factor_after) == (Fraction(1, 2), Fraction(1, 4))
    assert dear.cause is Cause.PRICE
    assert (dear.factor_before, dear.factor_after) == (Fraction(10), Fraction(90))


def test_traffic_that_moves_from_one_model_to_another_is_requests_of_both() -> None:
    before = {"big": Usage(100, 400, 800, 800), "small": Usage(100, 100, 200, 200)}
    after = {"big": Usage(50, 200, 400, 400), "small": Usage(150, 150, 300, 300)}
    movers = top_movers(explain_change(before, after).contributions, 5)
    assert [(m.key, m.change, m.cause, m.caused) for m in movers] == [
        ("big", -400, Cause.REQUESTS, -400),
        ("small", 100, Cause.REQUESTS, 100),
    ]


def test_what_others_did_is_no_cause_of_a_models_own_change() -> None:
    # All others double. This one keeps its requests: volume and mix are large and cancel out.
    before = {"steady": Usage(100, 1_000, 2_000, 2_000), "rest": Usage(100, 100, 200, 200)}
    after = {"steady": Usage(100, 1_100, 2_200, 2_200), "rest": Usage(900, 900, 1_800, 1_800)}
    steady = top_movers(explain_change(before, after).contributions, 2)[1]
    assert (steady.key, steady.cause, steady.caused) == ("steady", Cause.WORK, 200)


def test_the_cause_works_in_the_direction_of_the_change() -> None:
    # Requests fall to a quarter, by far the largest part; work doubles, the price rises 2.5 times.
    before, after = {"m": Usage(400, 400, 400, 400)}, {"m": Usage(100, 200, 200, 500)}
    (mover,) = top_movers(explain_change(before, after).contributions, 5)
    assert (mover.change, mover.cause) == (100, Cause.PRICE)
    assert mover.caused > mover.change


def test_what_cancels_out_on_the_same_machines_is_no_cause_of_a_change_in_price() -> None:
    # A quarter of the requests, half the work for each, an eighth as busy: large, and cancels out.
    before, after = {"m": Usage(400, 400, 400, 400)}, {"m": Usage(100, 50, 400, 360)}
    (mover,) = top_movers(explain_change(before, after).contributions, 5)
    assert (mover.cause, mover.caused) == (Cause.PRICE, -40)


@given(before=PERIODS, after=PERIODS)
def test_causes_add_up_and_a_movers_cause_has_the_sign_of_its_change(
    before: dict[str, Usage], after: dict[str, Usage]
) -> None:
    rows = explain_change(before, after).contributions
    for row in rows:
        assert sum(causes_of(row).values(), Fraction(0)) == row.change
    movers = top_movers(rows, 3)
    assert len(movers) == min(3, sum(1 for row in rows if row.change))
    sizes = sorted((abs(Fraction(r.change)) for r in rows if r.change), reverse=True)
    assert [abs(m.change) for m in movers] == sizes[:3]
    assert all(m.caused * m.change > 0 for m in movers)


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="count is 0; accepted: 1 or more"):
        top_movers((), 0)
