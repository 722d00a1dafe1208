"""Tiles as HTML for a page: the figure, its definition on hover and focus, its trend."""

from collections.abc import Sequence
from html import escape

from dashboard.sparkline import clip_path
from reports.change import Change
from reports.tile import Detail, Tile

LONG_CHARACTERS = 9  # the digits of a value that leaves its unit no room at full size


def tiles_html(rows: Sequence[Sequence[Tile]], title: str) -> str:
    """Return `rows` of tiles as one block of HTML; `title` names it for a screen reader."""
    inner = "".join(f'<div class="tiles">{"".join(map(_tile, row))}</div>' for row in rows)
    return f'<section class="headline" aria-label="{escape(title)}">{inner}</section>'


def _tile(tile: Tile) -> str:
    shape = clip_path(tile.trend)
    spark = "" if shape is None else f'<div class="spark" style="clip-path: {shape}"></div>'
    details = "".join(map(_detail, tile.details))
    size = "value long" if len(tile.value) > LONG_CHARACTERS else "value"
    hint = f"hint-{tile.key}"
    return (
        f'<article class="tile" data-figure="{tile.key}">'
        f'<h3 tabindex="0" aria-describedby="{hint}">{escape(tile.label)}</h3>'
        f'<div class="hint" role="tooltip" id="{hint}">{escape(tile.definition)}</div>'
        f'<div class="figure"><p class="{size}">{escape(tile.value)}'
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
