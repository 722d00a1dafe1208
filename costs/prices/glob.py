"""Patterns of names with * for any characters and ? for one: whether they meet or cover."""

from fnmatch import fnmatchcase

ANY = "*"


def meet(one: str, other: str) -> bool:
    """Return whether some name matches both patterns."""
    # reach[j]: the characters of `one` so far and the first j of `other` can match one name.
    reach = [True] + [False] * len(other)
    for j, there in enumerate(other, 1):
        reach[j] = reach[j - 1] and there == "*"
    for here in one:
        before, reach = reach, [reach[0] and here == "*"] + [False] * len(other)
        for j, there in enumerate(other, 1):
            if here == "*" or there == "*":
                reach[j] = before[j] or reach[j - 1]
            else:
                reach[j] = before[j - 1] and (here == there or "?" in (here, there))
    return reach[-1]


def covers(wide: str, narrow: str) -> bool:
    """Return whether every name that `narrow` matches surely matches `wide`, too."""
    if wide == narrow:
        return True
    if "?" in wide and set(narrow) & set("*?"):
        return False  # it may, and nobody needs to know
    return fnmatchcase(narrow, wide)
