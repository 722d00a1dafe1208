"""What a link says is what is shown, and what it says badly is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.address import Address, parse_address
from reports import WINDOWS, Window
from store import Filter

TEXTS = st.text(max_size=20).filter(lambda text: text.isprintable())
FILTERS = st.builds(
    Filter,
    model=st.lists(st.none() | TEXTS, max_size=3).map(tuple),
    tenant=st.lists(TEXTS, max_size=3).map(tuple),
    label=st.lists(st.tuples(TEXTS, st.none() | TEXTS), max_size=3).map(tuple),
    region=st.lists(st.none() | TEXTS, max_size=3).map(tuple),
)


@given(where=FILTERS, window=st.sampled_from(WINDOWS))
def test_a_link_says_exactly_what_it_was_made_of(where: Filter, window: Window) -> None:
    asked = Address(window, where)
    assert parse_address(asked.pairs()) == asked


def test_an_address_without_parameters_is_the_default() -> None:
    assert parse_address([]) == Address()
    assert Address().pairs() == []


def test_parameters_of_others_are_none_of_its_business() -> None:
    assert parse_address([("latest", "500"), ("utm_source", "x"), ("", "")]) == Address()


def test_the_last_window_counts() -> None:
    found = parse_address([("window", "1 hour"), ("window", "7 days")])
    assert found.window.label == "7 days"


@pytest.mark.parametrize("text", ["", "1 Hour", "a fortnight", "x" * 500])
def test_a_window_there_is_not_is_told_and_cut_short(text: str) -> None:
    found = parse_address([("window", text), ("tenant", "shop")])
    [sentence] = found.refusals
    assert found.window == WINDOWS[0]
    assert found.where == Filter(tenant=("shop",))
    assert "there are 15 minutes, 1 hour, 6 hours, 24 hours, 7 days, 30 days, 90 days" in sentence
    assert len(sentence) < 250


def test_one_bad_field_leaves_the_others() -> None:
    found = parse_address([("model", "~x"), ("pool", "p" * 129), ("tenant", "shop")])
    assert found.where == Filter(tenant=("shop",))
    assert [sentence.split(": ")[1][:5] for sentence in found.refusals] == ["model", "pool "]


def test_too_many_values_in_all_are_no_filter() -> None:
    pairs = [(name, f"{n}") for name in ("tenant", "model") for n in range(101)]
    found = parse_address(pairs)
    assert found.where == Filter()
    assert len(found.refusals) == 1
