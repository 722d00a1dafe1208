"""Merging never loses a price, says what holds now, and does nothing the second time."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import Catalogue, CommitmentOffer, InstanceType, Machine, Price
from costs.importers import merge
from costs.importers.merge import merge_commitments, merge_prices, merge_types
from costs.prices.units import PerHour, PerTerm

MACHINE = Machine("aws", "us-east-1", "m7i.xlarge", "on_demand")
DAY_US = 86_400_000_000


def day_us(day: str) -> int:
    at = date.fromisoformat(day)
    return int(datetime(at.year, at.month, at.day, tzinfo=UTC).timestamp()) * 1_000_000


def price(micro: int, as_of: str, valid_from: str | None = None, source: str = "list") -> Price:
    begin_us = None if valid_from is None else day_us(valid_from)
    return Price(MACHINE, micro, begin_us, as_of, source)


def done(merged: merge.Merged[Price]) -> dict[str, int]:
    return {what: count for what, count in (merged.done + merged.skipped).items() if count}


def test_a_machine_that_was_unknown_is_added_as_its_list_has_it() -> None:
    for new in (price(200, "2026-11-01"), price(200, "2026-11-01", "2024-08-01")):
        merged = merge_prices([], [new])
        assert merged.facts == [new]
        assert done(merged) == {merge.ADDED: 1}
        assert merged.changed


def test_another_price_is_a_new_row_from_the_day_it_was_seen_and_the_old_one_stays() -> None:
    old, new = price(200, "2025-04-04"), price(180, "2026-11-01", source="newer list")
    merged = merge_prices([old], [new])
    assert merged.facts == [old, price(180, "2026-11-01", "2026-11-01", "newer list")]
    assert done(merged) == {merge.CHANGED: 1}
    book = Catalogue(merged.facts)
    assert book.at(MACHINE, day_us("2026-11-01") - 1).micro_usd_per_hour == 200
    assert book.at(MACHINE, day_us("2026-11-01")).micro_usd_per_hour == 180


def test_another_price_begins_when_its_list_says_where_that_is_after_the_one_before() -> None:
    old, new = price(200, "2025-04-04", "2025-01-01"), price(180, "2026-11-01", "2026-03-01")
    assert merge_prices([old], [new]).facts == [old, new]
    earlier = price(180, "2026-11-01", "2024-03-01")
    assert merge_prices([old], [earlier]).facts == [old, price(180, "2026-11-01", "2026-11-01")]


def test_the_same_price_is_as_old_as_its_last_confirmation() -> None:
    old, new = price(200, "2025-04-04"), price(200, "2026-11-01", "2024-08-01", "newer list")
    merged = merge_prices([old], [new])
    assert merged.facts == [price(200, "2026-11-01", None, "newer list")]
    assert done(merged) == {merge.CONFIRMED: 1}
    again = merge_prices(merged.facts, [new])
    assert again.facts == merged.facts
    assert done(again) == {merge.SAME: 1}
    assert not again.changed


def test_the_same_price_of_an_older_list_changes_nothing() -> None:
    known = price(200, "2026-11-01")
    merged = merge_prices([known], [price(200, "2025-04-04")])
    assert merged.facts == [known]
    assert not merged.changed


@pytest.mark.parametrize(
    ("known", "new", "reason"),
    [
        ([price(200, "2026-11-01")], [price(180, "2025-04-04")], merge.OLDER),
        (
            [price(200, "2026-11-01", "2026-11-01")],
            [price(180, "2026-11-01")],
            merge.TAKEN,
        ),
        ([], [price(180, "2026-11-01"), price(181, "2026-11-01")], merge.AMBIGUOUS),
        ([price(200, "2026-11-01")], [price(180, "some day")], merge.UNDATED),
    ],
)
def test_what_cannot_be_told_apart_from_an_error_is_left_out(
    known: list[Price], new: list[Price], reason: str
) -> None:
    merged = merge_prices(known, new)
    assert merged.facts == known
    assert done(merged) == {reason: len(new)}
    assert not merged.changed


def test_the_same_price_twice_in_the_files_is_one() -> None:
    new = price(180, "2026-11-01")
    assert merge_prices([], [new, new]).facts == [new]


def test_the_history_of_a_list_is_taken_row_by_row() -> None:
    new = [price(180, "2026-11-01", "2026-06-01"), price(200, "2026-11-01", "2025-01-01")]
    merged = merge_prices([price(200, "2025-04-04")], new)
    assert [(p.micro_usd_per_hour, p.valid_from_us) for p in merged.facts] == [
        (200, None),
        (180, day_us("2026-06-01")),
    ]
    announced = [*new, price(150, "2026-11-01", "2027-01-01")]
    assert [p.micro_usd_per_hour for p in merge_prices(merged.facts, announced).facts] == [
        200,
        180,
        150,
    ]


def test_a_price_that_begins_before_all_that_is_known_is_put_before_it() -> None:
    known = price(200, "2026-11-01", "2026-11-01")
    merged = merge_prices([known], [price(180, "2026-05-01", "2026-05-01")])
    assert [p.micro_usd_per_hour for p in merged.facts] == [180, 200]


DAYS = st.integers(0, 20).map(lambda n: (date(2026, 1, 1) + timedelta(days=n)).isoformat())
PRICES = st.builds(price, st.integers(1, 3), DAYS, st.one_of(st.none(), DAYS))
LISTS = st.lists(PRICES, max_size=5)


def imported(as_of: str, rows: list[tuple[int, str | None]]) -> list[Price]:
    return [price(micro, as_of, begin) for micro, begin in rows]


IMPORTS = st.builds(
    imported,
    DAYS,
    st.lists(st.tuples(st.integers(1, 3), st.one_of(st.none(), DAYS)), max_size=4),
)


@given(st.lists(IMPORTS, max_size=4), IMPORTS)
def test_merging_loses_nothing_and_says_what_the_list_says(
    before: list[list[Price]], new: list[Price]
) -> None:
    known: list[Price] = []
    for each in before:
        known = merge_prices(known, each).facts
    merged = merge_prices(known, new)
    Catalogue(merged.facts)  # no two begin together
    kept = {(p.micro_usd_per_hour, p.valid_from_us) for p in merged.facts}
    assert {(p.micro_usd_per_hour, p.valid_from_us) for p in known} <= kept
    again = merge_prices(merged.facts, new)
    assert again.facts == merged.facts
    assert not again.changed
    if new and not sum(merged.skipped.values()):
        as_of_us = day_us(new[0].as_of)
        said = [p for p in new if (p.valid_from_us or 0) <= as_of_us]
        if said:
            last = max(said, key=lambda p: p.valid_from_us or 0)
            found = Catalogue(merged.facts).at(MACHINE, as_of_us)
            assert found.micro_usd_per_hour == last.micro_usd_per_hour


def offer(
    upfront: int, hourly: int, as_of: str, valid_from_us: int | None = None
) -> CommitmentOffer:
    return CommitmentOffer(
        *("azure", "westeurope", "Standard_D4s_v5", "reservation", "all_upfront"),
        PerTerm(Fraction(upfront), 1),
        PerHour(Fraction(hourly)),
        valid_from_us,
        as_of,
        "list",
    )


def test_commitments_are_merged_by_what_is_paid_once_and_by_the_hour() -> None:
    old, same, other = (
        offer(n, 0, day) for n, day in ((5, "2025"), (5, "2026"), (6, "2026-02-01"))
    )
    assert merge_commitments([old], [same]).facts == [same]
    changed = merge_commitments([old], [other]).facts
    assert changed == [old, offer(6, 0, "2026-02-01", day_us("2026-02-01"))]


def test_an_instance_type_never_changes() -> None:
    known = InstanceType("aws", "t", 4, 2**30, "L4", 1, 24 * 2**30, "2025", "data sheet")
    same = InstanceType("aws", "t", 4, 2**30, "L4", 1, None, "2026", "list")
    other = InstanceType("aws", "t", 8, 2**30, "L4", 1, None, "2026", "list")
    new = InstanceType("aws", "a", 8, 2**30, None, 0, None, "2026", "list")
    merged = merge_types([known], [same, other, new])
    assert merged.facts == [new, known]
    assert merged.done == {merge.SAME: 1, merge.ADDED: 1}
    assert merged.skipped == {merge.OTHER_TYPE: 1}
