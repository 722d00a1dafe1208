"""A filter is part of an address: whatever it accepts, the link says exactly that."""

from dataclasses import fields
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import EVERYTHING, Filter, FilterError
from store.filter import LONGEST_VALUE, MOST_VALUES

TEXTS = st.text(max_size=LONGEST_VALUE)
VALUES = st.lists(st.none() | TEXTS, max_size=4).map(tuple)
LABELS = st.lists(st.tuples(TEXTS, st.none() | TEXTS), max_size=4).map(tuple)
YES_OR_NO = st.lists(st.sampled_from(["yes", "no"]), max_size=2).map(tuple)
FILTERS = st.builds(
    Filter,
    **{
        field.name: {"label": LABELS, "simulated": YES_OR_NO}.get(field.name, VALUES)
        for field in fields(Filter)
    },
)


@given(where=FILTERS)
def test_a_filter_comes_back_from_its_query_whatever_its_values(where: Filter) -> None:
    assert Filter.from_query(where.to_query()) == where
    assert Filter.from_query(where.to_pairs()) == where


@given(where=FILTERS)
def test_a_query_is_plain_text_and_always_the_same_for_the_same_filter(where: Filter) -> None:
    query = where.to_query()
    assert query.isascii()
    assert query.isprintable()
    assert " " not in query
    reordered = {
        field.name: tuple(reversed(getattr(where, field.name))) * 2 for field in fields(Filter)
    }
    assert Filter(**reordered).to_query() == query


@given(where=FILTERS, others=st.lists(st.tuples(st.sampled_from(["page", "from", "Model"]), TEXTS)))
def test_other_parameters_of_a_page_do_not_matter(
    where: Filter, others: list[tuple[str, str]]
) -> None:
    assert Filter.from_query([*others, *where.to_pairs(), *others]) == where


@given(where=FILTERS)
def test_values_are_bound_and_never_part_of_the_condition(where: Filter) -> None:
    condition = where.condition()
    bound = [
        text
        for value in condition.bound.values()
        for text in (value if isinstance(value, list) else [value])
    ]
    given_texts = {
        text
        for field in fields(Filter)
        for value in getattr(where, field.name)
        for text in (value if isinstance(value, tuple) else (value,))
        if text is not None
    }
    assert set(bound) == given_texts
    # The text is made of names, keywords and parameters alone: it is the same for other values.
    other = {
        field.name: tuple(
            (v[0], v[1] and v[1] + "x") if isinstance(v, tuple) else v and v + "x"
            for v in getattr(where, field.name)
        )
        for field in fields(Filter)
        if field.name != "simulated"
    }
    other["simulated"] = where.simulated
    if all(len(str(v)) < LONGEST_VALUE for v in given_texts):
        assert Filter(**other).condition().sql == condition.sql  # type: ignore[arg-type]


def test_the_spelling_of_a_query_is_kept_so_that_old_links_go_on_working() -> None:
    where = Filter(
        model=("digits", None, "~null", "~x"),
        label=(("team", "a=b"), ("a=~b", None), ("c", "")),
        region=("us-east-1",),
    )
    assert parse_qsl(where.to_query(), keep_blank_values=True) == [
        ("model", "~null"),
        ("model", "digits"),
        ("model", "~~null"),
        ("model", "~~x"),
        ("label", "a~1~0b"),
        ("label", "c="),
        ("label", "team=a=b"),
        ("region", "us-east-1"),
    ]


def test_an_empty_filter_is_false_has_no_query_and_restricts_nothing() -> None:
    assert not EVERYTHING
    assert EVERYTHING.to_query() == ""
    assert Filter.from_query("") == EVERYTHING
    assert EVERYTHING.condition() == ("TRUE", {})
    assert Filter(tenant=("",))
    assert not Filter(tenant=("shop",)).machines()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"tenant": ("x" * (LONGEST_VALUE + 1),)}, "tenant has 129 characters"),
        ({"label": (("x" * (LONGEST_VALUE + 1), None),)}, "label has 129 characters"),
        ({"tenant": tuple(map(str, range(MOST_VALUES + 1)))}, "201 values"),
        ({"model": ("\ud800",)}, "model is '\\ud800'"),
        ({"simulated": ("maybe",)}, "simulated is 'maybe'; accepted: yes, no"),
        ({"simulated": (None,)}, "simulated is '~null'; accepted: yes, no"),
    ],
)
def test_too_much_of_a_filter_is_refused_with_field_and_limit(
    arguments: dict[str, tuple[str, ...]], complaint: str
) -> None:
    with pytest.raises(FilterError) as refused:
        Filter(**arguments)  # type: ignore[arg-type]
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("model=~nul", "model is ~nul"),
        (f"tenant={'x' * 129}", "tenant has 129 characters"),
        ("&".join(f"tenant={n}" for n in range(201)), "201 values"),
        (f"page={'x' * 70_000}", "the query has 70005 characters"),
    ],
)
def test_a_query_that_is_no_filter_is_refused(query: str, complaint: str) -> None:
    with pytest.raises(FilterError) as refused:
        Filter.from_query(query)
    assert complaint in str(refused.value)


def test_a_query_with_broken_encoding_is_read_as_far_as_it_is_text() -> None:
    assert Filter.from_query("page=%ff&tenant=shop&tenant=%ff") == Filter(
        tenant=("shop", "\N{REPLACEMENT CHARACTER}")
    )
