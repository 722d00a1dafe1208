"""A tile: one figure, what it means, how it changed, and the few numbers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboard.change import Change
from dashboard.sparkline import clip_path


@dataclass(frozen=True)
class Detail:
    """A line under the figure. Where it is a target, `kept` says whether the figure meets it."""

    name: str
    text: str
    kept: bool | None = None


@dataclass(frozen=True)
class Tile:
    """One figure of the headline. `definition` is one sentence, shown on hover and focus."""

    key: str
    label: str
    value: str
    unit: str
    definition: str
    change: Change
    trend: Sequence[float | None]
    details: tuple[Detail, ...] = ()


def tiles_html(rows: Sequence[Sequence[Tile]], title: str) -> str:
    """Return `rows` of tiles as one block of HTML; `title` names it for a screen reader."""
    inner = "".join(f'<div class="tiles">{"".join(map(_tile, row))}</div>' for row in rows)
    return f'<section class="headline" aria-label="{escape(title)}">{inner}</section>'


def _tile(tile: Tile) -> str:
    shape = clip_path(tile.trend)
    spark = "" if shape is None else f'<div class="spark" style="clip-path: {shape}"></div>'
    details = "".join(map(_detail, tile.details))
    hint = f"hint-{tile.key}"
    return (
        f'<article class="tile" data-figure="{tile.key}">'
        f'<h3 tabindex="0" aria-describedby="{hint}">{escape(tile.label)}</h3>'
        f'<div class="hint" role="tooltip" id="{hint}">{escape(tile.definition)}</div>'
        f'<div class="figure"><p class="value">{escape(tile.value)}'
        f'<span class="unit"> {escape(tile.unit)}</span></p>{spark}</div>'
        f"{_change(tile.change)}"
        f"<dl>{details}</dl></article>"
    )


def _change(change: Change) -> str:
    verdict = change.verdict.name.lower()
    words = " ".join(filter(None, (change.arrow, change.amount, change.verdict.value)))
    return f'<p class="change {verdict}">{escape(words)}</p>'


def _detail(detail: Detail) -> str:
    verdict = ""
    if detail.kept is not None:
        word = "met" if detail.kept else "missed"
        verdict = f'<span class="promise {word}">{word}</span>'
    return f"<div><dt>{escape(detail.name)}</dt><dd>{verdict}{escape(detail.text)}</dd></div>"
