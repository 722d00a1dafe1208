"""A check: one thing that is good or to be looked at, and the figure that says so."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

GOOD, LOOK = "good", "look at this"
IN_A_ROW = 4


@dataclass(frozen=True)
class Check:
    """`good` is None where there is nothing to judge; `text` says why, and what to do."""

    key: str
    label: str
    value: str
    good: bool | None
    text: str


def verdict_html(checks: Sequence[Check]) -> str:
    """Return one line over all `checks`: whether the data can be trusted, or what is in the way."""
    failed = [check.label.lower() for check in checks if check.good is False]
    if not failed:
        return (
            '<p class="verdict" role="status"><span class="promise met">Good</span>'
            "The data is fresh, complete and priced.</p>"
        )
    return (
        '<p class="verdict" role="status"><span class="promise missed">Look at this</span>'
        f"{escape(', '.join(failed).capitalize())}.</p>"
    )


def checks_html(checks: Sequence[Check]) -> str:
    """Return `checks` as one block of tiles, four in a row where there is room."""
    rows = [checks[place : place + IN_A_ROW] for place in range(0, len(checks), IN_A_ROW)]
    tiles = "".join(f'<div class="tiles">{"".join(map(_tile, row))}</div>' for row in rows)
    return f'<section class="headline" aria-label="Checks of the data">{tiles}</section>'


def _tile(check: Check) -> str:
    verdict = ""
    if check.good is not None:
        word, kept = (GOOD, "met") if check.good else (LOOK, "missed")
        verdict = f'<p class="change"><span class="promise {kept}">{word}</span></p>'
    return (
        f'<article class="tile check" data-check="{check.key}">'
        f"<h3>{escape(check.label)}</h3>"
        f'<div class="figure"><p class="value">{escape(check.value)}</p></div>'
        f'{verdict}<p class="why">{escape(check.text)}</p></article>'
    )
