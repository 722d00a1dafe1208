"""A whole number cut into whole parts that add up to it."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def apportion(whole: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Return `whole` (0 or more) in parts in proportion to `weights`, 0 or more, not all of them 0.

    Largest remainder: every part is rounded down, then the units left over go to the parts that
    lost most, the first of them where they lost the same. Parts of 0 are left out.
    """
    total = sum(weights.values())
    parts = {key: whole * weight // total for key, weight in weights.items()}
    left = whole - sum(parts.values())
    for key in sorted(weights, key=lambda key: -(whole * weights[key] % total))[:left]:
        parts[key] += 1
    return {key: part for key, part in parts.items() if part}
