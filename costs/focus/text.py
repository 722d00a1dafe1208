"""Values as text: decimals, instants, JSON, and names that a reader could take for something else.

A file of FOCUS is read by programs that infer types: a name that looks like a number, an empty
string or a "null" changes what a column is. Columns of FOCUS get names in ASCII, which validators
insist on; ours keep the original unless a reader of CSV could misread it.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache

SECOND_US = 1_000_000
# What readers of CSV take for nothing.
PLACEHOLDERS = frozenset(
    ("null", "none", "nil", "nan", "n/a", "na", "#n/a", "-", "--", "?", "unknown", "undefined")
)
# What a type is inferred from where all of a column is like it.
_NOT_TEXT = frozenset(("true", "false", "yes", "no", "t", "f", "y", "n", "epoch", "today"))
# What a spreadsheet begins a formula with, ASCII and full-width, and what it skips before.
FORMULA_BEGINS = tuple(
    "=+-@\t\r\n\0\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def decimal_text(value: Decimal) -> str:
    """Return `value` with a point, as many decimals as it has, and no exponent: "3.0", "0.25"."""
    if not value:
        return "0.0"
    text = f"{value:f}"
    if "." not in text:
        return f"{text}.0"
    text = text.rstrip("0")
    return f"{text}0" if text[-1] == "." else text


@lru_cache(maxsize=4_096)
def instant_text(at_us: int) -> str:
    """Return an instant (microseconds, UTC) as 2026-11-01T00:00:00Z.

    Raises ValueError for one that is no whole second.
    """
    seconds, rest = divmod(at_us, SECOND_US)
    if rest:
        raise ValueError(f"{at_us} us is no whole second; accepted: a multiple of {SECOND_US}")
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def second_text(at_us: int) -> str:
    """Return the second that an instant (microseconds, UTC) lies in, as instant_text does."""
    return instant_text(at_us // SECOND_US * SECOND_US)


def json_text(values: Mapping[str, str | int | float | bool | None]) -> str:
    """Return a flat object as JSON in ASCII, keys sorted: the same values give the same text."""
    return json.dumps(values, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def is_plain(text: str) -> bool:
    """Return whether no reader takes `text` for something else: another type, nothing, padding."""
    return not (
        not text
        or text != text.strip()
        or text.casefold() in PLACEHOLDERS
        or text.casefold() in _NOT_TEXT
        or not any(c.isalpha() for c in text)
        or _is_number(text)
        or _UNPRINTABLE.search(text)
    )


@lru_cache(maxsize=65_536)
def ascii_name(name: str, kind: str) -> str:
    """Return `name` for a column of FOCUS: in ASCII, without padding, no number, no placeholder.

    Characters outside ASCII and unprintable ones are escaped as Python does; a name that would be
    taken for something else gets its `kind` before it: the region "1" is "region 1".
    """
    text = name.strip().encode("unicode_escape").decode("ascii").replace("\\\\", "\\")
    return text if is_plain(text) else f"{kind} {text}".strip()


@lru_cache(maxsize=65_536)
def own_name(name: str) -> str:
    """Return `name` for a column of ours: as it is, or as JSON where a reader could misread it.

    "Z\u00fcrich" and "1" stay; " shop", "null" and names with line breaks become quoted JSON.
    """
    harmless = (
        name
        and name == name.strip()
        and name[0] != '"'
        and name.casefold() not in PLACEHOLDERS
        and not _UNPRINTABLE.search(name)
    )
    return name if harmless else json.dumps(name, ensure_ascii=True)


def formula_safe(text: str) -> str:
    """Return `text` so that no spreadsheet runs it: with a quote before what begins a formula."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text


def _is_number(text: str) -> bool:
    try:
        float(text.replace("_", "x"))
    except ValueError:
        return False
    return True
