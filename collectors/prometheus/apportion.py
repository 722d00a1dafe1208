"""A whole number cut into whole parts that add up to it, by key."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from costs.apportion import apportion as parts_of

Key = TypeVar("Key", bound=Hashable)


def apportion(whole: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Return `whole` (0 or more) in parts in proportion to `weights`, 0 or more, not all of them 0.

    Largest remainder, as for money. Parts of 0 are left out.
    """
    parts = parts_of(whole, list(weights.values()))
    return {key: part for key, part in zip(weights, parts, strict=True) if part}
