"""What a filter can be chosen from, and values of users in it."""

from dataclasses import fields

from store import (
    ByLabel,
    Filter,
    read_breakdown,
    read_choices,
    read_label_choices,
    read_totals,
)
from tests.integration.truth_queries import (
    TRUTH,
    Stored,
)
from tests.integration.usage_truth import (
    BOOTS,
    CHANGES,
    HOSTILE,
    PERIOD,
    is_request,
)


def test_everything_that_occurs_can_be_chosen(stored: Stored) -> None:
    choices = read_choices(stored.connection)
    assert set(choices) == {field.name for field in fields(Filter)} - {"label", "simulated"}
    assert choices["tenant"] == ["internal", "search", "shop"]
    assert choices["model"] == [HOSTILE, "digits", "ranker", None]
    assert choices["region"] == ["europe-west4", "us-east-1", None]
    assert choices["node_id"] == sorted(BOOTS)
    assert read_label_choices(stored.connection) == {
        "project": ["p1", "p2"],
        "team": ["checkout", "search"],
    }
    for name, values in choices.items():
        came = [
            read_totals(stored.connection, PERIOD, where=Filter(**{name: (value,)})).requests  # type: ignore[arg-type]
            for value in values
        ]
        assert sum(came) == sum(map(is_request, TRUTH.records)), name


def test_values_of_users_are_compared_and_never_executed(
    stored: Stored,
) -> None:
    for field in fields(Filter):
        if field.name == "simulated":
            continue
        value = (HOSTILE, HOSTILE) if field.name == "label" else HOSTILE
        where = Filter(**{field.name: (value,)})  # type: ignore[arg-type]
        came = read_totals(stored.connection, PERIOD, where=where).requests
        expected = sum(is_request(r) and r.model == HOSTILE for r in TRUTH.records)
        assert came == (expected if field.name == "model" else 0), field.name
    slices = read_breakdown(stored.connection, PERIOD, [ByLabel(HOSTILE)], CHANGES)
    assert [found.key for found in slices] == [(None,)]
    assert stored.connection.execute("SELECT count(*) FROM boot").fetchall() == [(len(BOOTS),)]
