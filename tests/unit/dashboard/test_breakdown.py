"""A row of a table, looked into: the filter with its group alone."""

import pytest

from dashboard.breakdown import GROUPINGS, grouping_word, groupings, narrowed
from store import EVERYTHING, Filter


@pytest.mark.parametrize("choice", GROUPINGS)
def test_every_grouping_can_be_looked_into_or_says_that_it_cannot(choice: str) -> None:
    key = tuple(f"value {n}" for n in range(len(groupings(choice))))
    found = narrowed(EVERYTHING, choice, key)
    if choice == "cache":
        assert found is None
    else:
        assert found is not None
        assert [text for _, text in found.to_pairs()] == list(key)


def test_a_group_is_looked_into_beside_what_is_filtered_already() -> None:
    where = Filter(tenant=("shop", "search"), label=(("team", "a"), ("project", "p")))
    assert narrowed(where, "tenant", ("shop",)) == Filter(
        tenant=("shop",), label=(("team", "a"), ("project", "p"))
    )
    assert narrowed(where, "label:team", (None,)) == Filter(
        tenant=("shop", "search"), label=(("team", None), ("project", "p"))
    )
    assert narrowed(where, "version", ("digits", None)) == Filter(
        tenant=("shop", "search"),
        label=(("team", "a"), ("project", "p")),
        model=("digits",),
        model_version=(None,),
    )


def test_a_label_is_called_by_its_name() -> None:
    assert grouping_word("label:team") == "Label team"
    assert grouping_word("label:label:team") == "Label label:team"
    assert grouping_word("tenant") == "Tenant"
