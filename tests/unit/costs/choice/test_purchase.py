"""The cheapest purchase mix is the cheapest of all there are."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.choice import ReservedOffer, Spot, cheapest_mix, hourly_interruption

YEAR, THREE_YEARS = 8_760, 26_280
ONE_YEAR = ReservedOffer("1 year", YEAR, 0, 60)
ON_DEMAND = 100
PROBABILITIES = st.sampled_from([Fraction(0), Fraction(1, 100), Fraction(1, 4), Fraction(1)])
OFFERS = st.lists(
    st.builds(
        ReservedOffer,
        st.just("offer"),
        st.sampled_from([YEAR, THREE_YEARS]),
        st.integers(0, 10**6),
        st.integers(0, 150),
        st.one_of(st.none(), st.integers(0, 2)),
    ),
    max_size=2,
).map(
    lambda offers: [
        ReservedOffer(f"offer {n}", o.term_hours, o.upfront_micro_usd, o.micro_usd_per_hour, o.most)
        for n, o in enumerate(offers)
    ]
)
SPOTS = st.one_of(
    st.none(),
    st.builds(
        Spot,
        micro_usd_per_hour=st.integers(0, 130),
        interruptions_per_hour=PROBABILITIES,
        rework_hours=st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(2)]),
        missing_hours=st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1)]),
        most_share=st.sampled_from([Fraction(0), Fraction(1, 2), Fraction(1)]),
        missing_micro_usd_per_hour=st.integers(0, 50),
    ),
)


def every_mix(
    load: Sequence[int], offers: Sequence[ReservedOffer], spot: Spot | None, most_unmet: Fraction
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield (machines by offer, spot machines by hour) of every mix that keeps the limits."""
    top = max(load)
    counts = [range(min(top, top if o.most is None else o.most) + 1) for o in offers]
    shares = [int(spot.most_share * needed) if spot else 0 for needed in load]
    for reserved in product(*counts):
        for spots in product(*(range(most + 1) for most in shares)):
            if any(sum(reserved) + s > n for n, s in zip(load, spots, strict=True) if s):
                continue
            unmet = Fraction(0)
            if spot:
                unmet = sum(spots) * Fraction(spot.interruptions_per_hour) * spot.missing_hours
            if unmet <= most_unmet * sum(load):
                yield list(reserved), list(spots)


def cost_by_hand(
    load: Sequence[int],
    price: int,
    offers: Sequence[ReservedOffer],
    spot: Spot | None,
    reserved: list[int],
    spots: list[int],
) -> Fraction:
    cost = Fraction(0)
    for offer, count in zip(offers, reserved, strict=True):
        upfront = Fraction(offer.upfront_micro_usd, offer.term_hours)
        cost += (upfront + offer.micro_usd_per_hour) * count * len(load)
    for needed, from_spot in zip(load, spots, strict=True):
        cost += price * max(0, needed - sum(reserved) - from_spot)
        if spot:
            loss = spot.rework_hours * price + spot.missing_hours * spot.missing_micro_usd_per_hour
            cost += from_spot * (spot.micro_usd_per_hour + spot.interruptions_per_hour * loss)
    return cost


@given(
    load=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    price=st.integers(0, 150),
    offers=OFFERS,
    spot=SPOTS,
    most_unmet=st.sampled_from([Fraction(0), Fraction(1, 50), Fraction(1, 3), Fraction(1)]),
)
def test_no_other_mix_is_cheaper(
    load: list[int],
    price: int,
    offers: list[ReservedOffer],
    spot: Spot | None,
    most_unmet: Fraction,
) -> None:
    found = cheapest_mix(load, price, offers, spot, most_unmet)
    cheapest = min(
        cost_by_hand(load, price, offers, spot, reserved, spots)
        for reserved, spots in every_mix(load, offers, spot, most_unmet)
    )
    assert found.cost == cheapest
    taken = dict(found.reserved)
    reserved = [taken.get(offer, 0) for offer in offers]
    spots = [hour.spot for hour in found.hours]
    assert (reserved, spots) in list(every_mix(load, offers, spot, most_unmet))
    assert cost_by_hand(load, price, offers, spot, reserved, spots) == found.cost
    for hour, needed in zip(found.hours, load, strict=True):
        assert hour.reserved + hour.spot + hour.on_demand == needed
        assert hour.reserved == min(needed, sum(reserved))


@given(
    load=st.lists(st.integers(0, 40), min_size=1, max_size=60),
    offers=OFFERS,
    spot=SPOTS,
    most_unmet=st.fractions(0, 1),
)
def test_a_reserved_machine_never_saves_more_than_the_one_before(
    load: list[int], offers: list[ReservedOffer], spot: Spot | None, most_unmet: Fraction
) -> None:
    found = cheapest_mix(load, ON_DEMAND, offers, spot, most_unmet)
    savings = [layer.saving for layer in found.layers]
    assert savings == sorted(savings, reverse=True)
    assert [layer.hours_needed for layer in found.layers] == [
        sum(1 for needed in load if needed >= layer.number) for layer in found.layers
    ]
    assert found.unmet_machine_hours <= most_unmet * sum(load)
    assert found.cost <= found.all_on_demand_cost == ON_DEMAND * sum(load)


def test_a_machine_is_reserved_if_it_is_needed_for_the_part_of_hours_that_its_price_is() -> None:
    # At 60 % of the on-demand price a machine pays if it is needed more than 60 of 100 hours.
    load = [3] * 59 + [2] * 2 + [1] * 39
    found = cheapest_mix(load, ON_DEMAND, [ONE_YEAR])
    assert found.reserved == ((ONE_YEAR, 2),)
    assert [(layer.hours_needed, layer.pays) for layer in found.layers] == [
        (100, True), (61, True), (59, False)
    ]  # fmt: skip
    assert found.cost == 2 * 60 * 100 + 59 * 100
    assert cheapest_mix([3] * 60 + [1] * 40, ON_DEMAND, [ONE_YEAR]).reserved == ((ONE_YEAR, 1),)


def test_upfront_payments_are_spread_over_the_term() -> None:
    offer = ReservedOffer("all upfront", THREE_YEARS, 50 * THREE_YEARS, 0)
    found = cheapest_mix([1] * 10, ON_DEMAND, [ONE_YEAR, offer])
    assert found.reserved == ((offer, 1),)
    assert found.reserved_cost == 500


def test_three_years_are_too_long_for_a_load_that_lasts_one() -> None:
    three_years = ReservedOffer("3 years", THREE_YEARS, 0, 40)
    offers = [ONE_YEAR, three_years]
    assert cheapest_mix([1], ON_DEMAND, offers).reserved == ((three_years, 1),)
    assert cheapest_mix([1], ON_DEMAND, offers, horizon_hours=YEAR).reserved == ((ONE_YEAR, 1),)
    assert cheapest_mix([1], ON_DEMAND, offers, horizon_hours=YEAR // 2).reserved == ()


def test_an_offer_that_is_limited_is_followed_by_the_next() -> None:
    few = ReservedOffer("few", YEAR, 0, 50, most=1)
    found = cheapest_mix([3] * 10, ON_DEMAND, [ONE_YEAR, few])
    assert found.reserved == ((few, 1), (ONE_YEAR, 2))
    assert found.cost == 10 * (50 + 2 * 60)


def test_spot_is_cheaper_until_interruptions_eat_it_up() -> None:
    def spot(probability: Fraction) -> Spot:
        return Spot(30, probability, rework_hours=2, missing_hours=0, most_share=1)

    # An interruption has two hours done again on demand: 200. At 0.35 an hour costs 30 + 70.
    rare = cheapest_mix([4] * 10, ON_DEMAND, spot=spot(Fraction(1, 100)))
    assert rare.spot_cost == 1200
    assert rare.interruption_cost == 80
    assert rare.on_demand_cost == 0
    often = cheapest_mix([4] * 10, ON_DEMAND, spot=spot(Fraction(35, 100)))
    assert often.spot_cost == 0
    assert often.on_demand_cost == 4000


def test_spot_is_limited_by_its_share_and_by_the_demand_that_may_go_unmet() -> None:
    # Half of the machines may be spot: 40 machine-hours of 80. Each is missing for 0.05 h.
    spot = Spot(10, Fraction(1, 10), rework_hours=0, missing_hours=Fraction(1, 2),
                most_share=Fraction(1, 2))  # fmt: skip
    free = cheapest_mix([8] * 10, ON_DEMAND, spot=spot, most_unmet=1)
    assert [hour.spot for hour in free.hours] == [4] * 10
    assert free.interruptions == 4
    assert free.unmet_machine_hours == 2
    # One hour in 80 may be missing: 20 machine-hours of spot, two in every hour.
    held = cheapest_mix([8] * 10, ON_DEMAND, spot=spot, most_unmet=Fraction(1, 80))
    assert [hour.spot for hour in held.hours] == [2] * 10
    assert held.unmet_machine_hours == 1
    none = cheapest_mix([8] * 10, ON_DEMAND, spot=spot)
    assert not any(hour.spot for hour in none.hours)


def test_reserved_machines_pay_less_where_spot_would_take_their_place() -> None:
    # Spot at 50 may be half. The first machine saves 100 an hour, the second only the 50 of spot.
    spot = Spot(50, 0, 0, 0, most_share=Fraction(1, 2))
    found = cheapest_mix([2] * 10, ON_DEMAND, [ONE_YEAR], spot)
    assert [layer.saving for layer in found.layers] == [1000, 500]
    assert [layer.pays for layer in found.layers] == [True, False]
    assert found.cost == 10 * (60 + 50)


def test_nothing_needed_costs_nothing() -> None:
    found = cheapest_mix([0, 0], ON_DEMAND, [ONE_YEAR])
    assert found.cost == 0
    assert not found.reserved
    assert not found.layers
    assert found.saving is None


def test_a_year_of_hours_and_thousands_of_machines_are_no_trouble() -> None:
    load = [5_000 + 4_000 * (hour % 24 >= 12) for hour in range(YEAR)]
    found = cheapest_mix(load, ON_DEMAND, [ONE_YEAR])
    assert found.reserved_machines == 5_000
    assert found.saving == 1 - Fraction(5_000 * 60 + 2_000 * 100, 7_000 * 100)


@pytest.mark.parametrize("monthly", [Fraction(1, 20), Fraction(1, 5), Fraction(0)])
def test_a_monthly_interruption_is_that_of_730_hours_each_survived(monthly: Fraction) -> None:
    hourly = hourly_interruption(monthly)
    assert abs(float((1 - hourly) ** 730) - float(1 - monthly)) < 1e-12
    assert hourly <= monthly
    # A month taken for an hour would be some 700 times as much.
    assert hourly < Fraction(1, 3000)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (([], 1), "load is empty"),
        (([1, -1], 1), "load of hour 1 is -1"),
        (([10**7], 1), "load of hour 0 is 10000000; accepted: at most 1000000"),
        (([1.5], 1), "load of hour 0 is 1.5; accepted: a whole number"),
        (([1], 0.5), "on_demand_micro_usd_per_hour is 0.5; accepted: an int or a Fraction"),
        (([1], 1, [], None, 2), "most_unmet is 2; accepted: an int or a Fraction, 0 or more, at"),
        (([1], 1, [], None, 0, 0), "horizon_hours is 0; accepted: a whole number, 1 or more"),
        (([1, 1, 1], 1, [], None, 0, 2), "horizon_hours is 2; accepted: a whole number, 3 or more"),
        (([1], 1, [ONE_YEAR, ONE_YEAR]), "offer name is '1 year' twice"),
    ],
)
def test_wrong_input_is_refused_by_name(arguments: tuple[object, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        cheapest_mix(*arguments)  # type: ignore[arg-type]


def test_wrong_offers_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="x: term_hours is 0; accepted: a whole number, 1"):
        ReservedOffer("x", 0, 0, 1)
    with pytest.raises(ValueError, match="offer name is ' '"):
        ReservedOffer(" ", 1, 0, 1)
    with pytest.raises(ValueError, match=r"interruptions_per_hour is 2; .*at most 1"):
        Spot(1, 2, 0, 0, 1)
    with pytest.raises(ValueError, match="monthly is 1; accepted: below 1"):
        hourly_interruption(1)
