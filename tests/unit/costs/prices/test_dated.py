"""A later fact supersedes an earlier one, and no two begin at once."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.prices.dated import Dated


@dataclass(frozen=True)
class Said:
    key: tuple[str, str]
    valid_from_us: int | None
    value: int


INSTANTS = st.one_of(st.none(), st.integers(1, 50))


@given(
    st.lists(
        st.builds(Said, st.tuples(st.sampled_from("ab"), st.just("x")), INSTANTS, st.integers()),
        unique_by=lambda said: (said.key, said.valid_from_us),
    ),
    st.integers(0, 60),
)
def test_what_holds_is_the_last_that_began(facts: list[Said], instant_us: int) -> None:
    book = Dated(facts, lambda said: said.key)
    for key in (("a", "x"), ("b", "x")):
        began = [f for f in facts if f.key == key and (f.valid_from_us or 0) <= instant_us]
        expected = max(began, key=lambda f: f.valid_from_us or 0, default=None)
        assert book.at(key, instant_us) == expected
    assert len(book) == len(facts) == len(list(book))
    assert book.begins() == {f.valid_from_us or 0 for f in facts}


def test_two_facts_that_begin_together_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="a x: two prices begin at the same instant"):
        Dated([Said(("a", "x"), None, 1), Said(("a", "x"), 0, 2)], lambda said: said.key)
