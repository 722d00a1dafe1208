"""The shapes of date and time in text: RFC 3339, and patterns as strptime knows them."""

import re
from typing import Final

# What strptime reads in the C locale. Only the shape: whether there is such a day it judges itself.
_NAME = "[A-Za-z]{3,9}"
_DIRECTIVES: Final = {
    "Y": "[0-9]{4}",
    "y": "[0-9]{2}",
    "m": "[0-9]{1,2}",
    "d": "[ 0-9]?[0-9]",
    "j": "[0-9]{1,3}",
    "b": _NAME,
    "B": _NAME,
    "a": _NAME,
    "A": _NAME,
    "H": "[0-9]{1,2}",
    "I": "[0-9]{1,2}",
    "M": "[0-9]{1,2}",
    "S": "[0-9]{1,2}",
    "p": "[AaPp][Mm]",
    "z": "Z|[+-][0-9]{2}:?[0-9]{2}",
    # strptime reads six digits; logs have up to nine.
    "f": "(?P<fraction>[0-9]{1,9})",
    "%": "%",
}
PATTERNS_ACCEPTED: Final = (
    "a strptime pattern of "
    + " ".join(f"%{letter}" for letter in _DIRECTIVES)
    + ", each at most once, with a year, a day and an hour"
)

RFC_3339: Final = re.compile(
    "(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,30}))?(?P<offset>[Zz]|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)


class TimePatternError(ValueError):
    """The pattern is none that is understood; the message says what is accepted."""


def shape_of(pattern: str) -> re.Pattern[str]:
    """Return an expression for the texts of the strptime `pattern`; %f is the group `fraction`.

    Raises TimePatternError.
    """
    parts, seen = [], set()
    for token in re.findall(r"%.?|[^%]+", pattern, re.DOTALL):
        if not token.startswith("%"):
            parts.append(re.escape(token))
            continue
        letter = token[1:]
        if letter not in _DIRECTIVES or (letter in seen and letter != "%"):
            raise TimePatternError(PATTERNS_ACCEPTED)
        seen.add(letter)
        parts.append(f"(?:{_DIRECTIVES[letter]})")
    has_day = "j" in seen or ("d" in seen and seen & {"m", "b", "B"})
    has_hour = "H" in seen or {"I", "p"} <= seen
    if not (seen & {"Y", "y"} and has_day and has_hour):
        raise TimePatternError(PATTERNS_ACCEPTED)
    return re.compile("".join(parts), re.ASCII)
