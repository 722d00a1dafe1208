"""The table of groups: right numbers, and none where there are too few."""

import math

import pytest

from dashboard.breakdown import GROUPINGS, grouping_words, groupings, key_words
from dashboard.latency_table import latency_frame, styled
from store import By, ByLabel, Traffic

BY = groupings("version")
MANY = Traffic(0, ("digits", "2"), 20_010, 10, {460: 19_000, 580: 1_000})
FEW = Traffic(0, ("digits", None), 5, 0, {460: 5})
NONE = Traffic(0, (None, None), 3, 3, {})


def test_a_quantile_with_few_slower_requests_is_left_out() -> None:
    rows = latency_frame([MANY, FEW], BY, 80).to_dict("records")
    assert 8.9 < rows[0]["p50"] < 9.1
    assert 95 < rows[0]["p99"] < 98
    assert all(math.isnan(rows[1][name]) for name in ("p50", "p95", "p99"))


def test_the_share_above_the_target_is_that_of_successful_requests() -> None:
    frame = latency_frame([MANY, NONE], BY, 80)
    assert frame["above"][0] == pytest.approx(0.05)
    assert math.isnan(frame["above"][1])
    assert list(frame["requests"]) == [20_010, 3]


def test_a_table_without_groups_has_its_columns() -> None:
    frame = latency_frame([], BY, 80)
    assert list(frame.columns) == ["group", "requests", "failed", "p50", "p95", "p99", "above"]
    styled(frame).to_html()


def test_numbers_are_shown_as_people_read_them() -> None:
    shown = styled(latency_frame([MANY], BY, 80)).to_html()
    for words in ("20,010", "5.00%", "digits@2"):
        assert words in shown


def test_a_version_stands_behind_its_model_and_other_values_beside_each_other() -> None:
    assert key_words(("digits", None), BY) == "digits@\N{EN DASH} none"
    assert key_words(("a", "b"), (By.TENANT, By.POOL)) == "a, b"


def test_labels_are_chosen_by_their_name() -> None:
    words = grouping_words(["team", "a:b"])
    assert words["label:team"] == "Label team"
    assert groupings("label:a:b") == (ByLabel("a:b"),)
    assert list(words)[: len(GROUPINGS)] == list(GROUPINGS)
