"""Whole units from exact parts: what a file with a fixed number of decimals needs.

Within a group by largest remainder, from group to group by a running total, so that neither a group
nor a year of groups drifts away from what it stands for.
"""

from collections.abc import Sequence
from fractions import Fraction


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Return whole parts of `total`, zero or more, in proportion to `weights`, that sum to it.

    Largest remainder: every part is rounded down, then what is left goes one by one to the parts
    that lost most, the earlier one first where two lost the same. Raises ValueError for a negative
    total or weight, and where nothing has a weight but there is something to share.
    """
    whole = sum(weights)
    if total < 0 or (weights and min(weights) < 0) or (total and not whole):
        raise ValueError(
            f"total is {total}, weights sum to {whole}; accepted: none below zero, and a weight "
            "where there is a total"
        )
    if not total:
        return [0] * len(weights)
    parts, lost = [], []
    for weight in weights:
        part, remainder = divmod(total * weight, whole)
        parts.append(part)
        lost.append(remainder)
    left = total - sum(parts)
    if left:
        by_loss = sorted(range(len(parts)), key=lambda n: -lost[n])
        for n in by_loss[:left]:
            parts[n] += 1
    return parts


class Running:
    """Turns exact amounts, zero or more, into whole units such that their sum never drifts.

    The units so far are the sum of the amounts so far, rounded half to even.
    """

    def __init__(self) -> None:
        self._exact: int | Fraction = 0
        self._given = 0

    def add(self, amount: int | Fraction, unit: int | Fraction = 1) -> None:
        """Keep `amount`, in `unit`s, for what is taken next."""
        self._exact += amount if unit == 1 else Fraction(amount) / unit

    def take(self, amount: int | Fraction, unit: int | Fraction = 1) -> int:
        """Return the whole `unit`s that `amount` comes to, together with those before."""
        self.add(amount, unit)
        due = round(self._exact) - self._given
        self._given += due
        return due
