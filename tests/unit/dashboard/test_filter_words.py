"""A filter in words: every field has a name, every part can be taken out alone."""

from dataclasses import fields

from dashboard.filter_words import FIELD_WORDS, NO_VALUE, filter_parts, label_words
from store import Filter


def test_every_field_of_a_filter_has_a_name() -> None:
    assert set(FIELD_WORDS) == {field.name for field in fields(Filter)}


def test_values_of_a_field_are_alternatives() -> None:
    [part] = filter_parts(Filter(tenant=("shop", None, "")))
    assert part.text == f"Tenant: {NO_VALUE} or (empty) or shop"
    assert part.query == {"tenant": []}


def test_each_label_is_a_part_of_its_own() -> None:
    where = Filter(label=(("team", "a"), ("team", "b"), ("env", None), ("a=b~", "1")))
    parts = filter_parts(where)
    assert [part.text for part in parts] == ["a=b~: 1", f"env: {NO_VALUE}", "team: a or b"]
    assert parts[2].query == {"label": ["a~1b~0=1", "env"]}


def test_many_values_are_counted_instead_of_listed() -> None:
    [part] = filter_parts(Filter(tenant=tuple(f"tenant-{n:02}" for n in range(40))))
    assert part.text == "Tenant: tenant-00 or tenant-01 or tenant-02 or tenant-03 or 36 more"


def test_a_long_value_is_cut() -> None:
    [part] = filter_parts(Filter(tenant=("x" * 128,)))
    assert len(part.text) < 60
    assert part.text.endswith("\N{HORIZONTAL ELLIPSIS}")


def test_a_label_is_offered_with_its_name() -> None:
    assert label_words(("team", "checkout")) == "team: checkout"
    assert label_words(("team", None)) == f"team: {NO_VALUE}"
