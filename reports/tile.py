"""A tile: one figure, what it means, how it changed, and the few numbers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.change import Change


@dataclass(frozen=True)
class Detail:
    """A line under the figure. Where it is a target, `kept` says whether the figure meets it."""

    name: str
    text: str
    kept: bool | None = None


@dataclass(frozen=True)
class Tile:
    """One figure of the headline. `definition` is one sentence that a reader can ask for."""

    key: str
    label: str
    value: str
    unit: str
    definition: str
    change: Change
    trend: Sequence[float | None]
    details: tuple[Detail, ...] = ()
