"""Colours are told from both backgrounds, by everybody."""

import tomllib
from itertools import combinations

import pytest

from dashboard.settings import ROOT
from reports import palette

MARKS = {
    palette.DIRECT,
    palette.IDLE,
    palette.P50,
    palette.P95,
    palette.P99,
    palette.ALONE,
    palette.SHARED,
    palette.FAILED,
}
BACKGROUNDS = {"light": palette.LIGHT_BACKGROUND, "dark": palette.DARK_BACKGROUND}


def luminance(color: str) -> float:
    """Return the relative luminance of `#rrggbb` (WCAG 2.2)."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("background", BACKGROUNDS.values())
@pytest.mark.parametrize("mark", sorted(MARKS))
def test_a_mark_stands_out_from_the_background(mark: str, background: str) -> None:
    assert contrast(mark, background) >= 3.0


@pytest.mark.parametrize("ink", [palette.BETTER, palette.WORSE, palette.MUTED])
def test_words_can_be_read_on_their_background(ink: palette.Ink) -> None:
    assert contrast(ink.light, palette.LIGHT_BACKGROUND) >= 4.5
    assert contrast(ink.dark, palette.DARK_BACKGROUND) >= 4.5


@pytest.mark.parametrize("theme", BACKGROUNDS)
def test_the_theme_has_the_backgrounds_the_palette_was_checked_against(theme: str) -> None:
    config = tomllib.loads((ROOT / ".streamlit/config.toml").read_text(encoding="utf-8"))
    assert config["theme"][theme]["backgroundColor"] == BACKGROUNDS[theme]


@pytest.mark.parametrize(
    "together",
    [
        (palette.DIRECT, palette.IDLE),
        (palette.P50, palette.P95, palette.P99),
        (palette.ALONE, palette.SHARED, palette.FAILED),
    ],
)
def test_colours_used_together_are_different(together: tuple[str, ...]) -> None:
    assert all(one != other for one, other in combinations(together, 2))
