"""A tile: one figure, what it means, how it changed, and the few numbers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from dashboard.change import Change
from dashboard.sparkline import clip_path


@dataclass(frozen=True)
class Promise:
    """An upper limit in milliseconds and whether it was kept; None when there is nothing to say."""

    limit_ms: float
    kept: bool | None


@dataclass(frozen=True)
class Detail:
    """A line under the figure, with the promise it is held to if there is one."""

    name: str
    text: str
    promise: Promise | None = None


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


def tiles_html(tiles: Sequence[Tile], title: str) -> str:
    """Return `tiles` as one block of HTML; `title` names it for a screen reader."""
    return (
        f'<section class="tiles" aria-label="{escape(title)}">'
        + "".join(map(_tile, tiles))
        + "</section>"
    )


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
    promise = ""
    if detail.promise is not None:
        limit = f"\N{LESS-THAN OR EQUAL TO} {detail.promise.limit_ms:g}"
        state = {True: "met", False: "missed", None: "open"}[detail.promise.kept]
        word = "no data" if detail.promise.kept is None else state
        promise = f'<span class="promise {state}">{word}</span><span class="limit">{limit}</span>'
    return f"<div><dt>{escape(detail.name)}</dt><dd>{escape(detail.text)}{promise}</dd></div>"
