"""Tiles as HTML: all text is there, and none of it is markup."""

from typing import Any

import pytest

from dashboard.tile import tiles_html
from reports.change import Change, Verdict
from reports.tile import Detail, Tile


def tile(**overrides: Any) -> Tile:
    fields: dict[str, Any] = {
        "key": "latency",
        "label": "Latency p99",
        "value": "4.56",
        "unit": "ms",
        "definition": "How long it took.",
        "change": Change("^", "20.0%", Verdict.WORSE),
        "trend": [1.0, 2.0],
        "details": (Detail("p50", "3 ms"),),
    }
    return Tile(**{**fields, **overrides})


def test_a_tile_shows_label_value_unit_definition_change_and_details() -> None:
    html = tiles_html([[tile()]], "Figures")
    for words in ("Latency p99", "4.56", " ms", "How long it took.", "^ 20.0% worse", "3 ms"):
        assert words in html


@pytest.mark.parametrize(("value", "size"), [("4.56", "value"), ("0.000000287", "value long")])
def test_a_long_value_is_set_smaller_so_that_its_unit_is_in_sight(value: str, size: str) -> None:
    assert f'<p class="{size}">{value}<' in tiles_html([[tile(value=value)]], "Figures")


def test_a_definition_describes_its_label_to_a_screen_reader() -> None:
    html = tiles_html([[tile()]], "Figures")
    assert 'tabindex="0" aria-describedby="hint-latency"' in html
    assert 'id="hint-latency"' in html


@pytest.mark.parametrize(("kept", "word"), [(True, "met"), (False, "missed")])
def test_a_target_is_told_to_be_met_or_missed_in_a_word(kept: bool, word: str) -> None:
    html = tiles_html([[tile(details=(Detail("target", "80 ms", kept),))]], "Figures")
    assert f">{word}</span>80 ms" in html


def test_a_target_that_nothing_can_be_held_to_has_no_verdict() -> None:
    html = tiles_html([[tile(details=(Detail("target", "80 ms", None),))]], "Figures")
    assert "80 ms" in html
    assert "promise" not in html


def test_a_tile_without_a_trend_has_no_sparkline() -> None:
    assert "spark" not in tiles_html([[tile(trend=[])]], "Figures")


def test_text_is_never_markup() -> None:
    html = tiles_html([[tile(value="<b>", label="a & b")]], '"quoted"')
    assert "<b>" not in html
    assert "a &amp; b" in html
    assert "&quot;quoted&quot;" in html
