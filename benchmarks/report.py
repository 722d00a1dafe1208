"""The outcome of one benchmark: a table to read, goals met or missed, and JSON to keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.machine import Machine


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of the rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        return cls(median(values), min(values), max(values))

    def text(self, digits: int = 0) -> str:
        """Return `median (low to high)` for a table."""
        return (
            f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"
            if self.low != self.high
            else f"{self.median:,.{digits}f}"
        )


@dataclass(frozen=True)
class Goal:
    """A figure with the bound it is held against; `at_least` says on which side it must lie.

    `value` is None where something it needs was not measured; `note` says what.
    """

    text: str
    value: float | None
    bound: float
    at_least: bool
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept, None without a value."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    def row(self) -> list[str]:
        """Return the goal as a row of GOALS."""
        bound = f"{'at least' if self.at_least else 'at most'} {self.bound:g}"
        if self.value is None:
            return [self.text, "-", bound, f"not measured: {self.note}"]
        missed_by = abs(self.value - self.bound)
        return [
            self.text,
            f"{self.value:.3f}",
            bound,
            "met" if self.met else f"missed by {missed_by:.3f}",
        ]


# Above it, something else takes part of what is measured.
QUIET_LOAD_AVERAGE = 0.5
GOALS = ["goal", "measured", "bound", ""]


@dataclass(frozen=True)
class Outcome:
    """What a benchmark found. `results` goes into the file, `header` and `rows` onto the screen."""

    benchmark: str
    settings: Mapping[str, float]
    results: Sequence[Mapping[str, object]]
    header: list[str]
    rows: list[list[str]]
    goals: list[Goal]
    notes: list[str]


def as_text(outcome: Outcome, machine: Machine, date: str) -> str:
    """Return the outcome as Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions.items())
    settings = ", ".join(f"{name} {value:g}" for name, value in outcome.settings.items())
    notes = list(outcome.notes)
    if machine.load_average > QUIET_LOAD_AVERAGE:
        notes.append("The machine was not quiet before: the figures are rough.")
    parts = [
        f"{outcome.benchmark}, {date}: {machine.cores} cores of {machine.cpu}, {machine.system}, "
        f"spool on {machine.filesystem}; {versions}. Load before: {machine.load_average}. "
        f"Settings: {settings}.",
        markdown_table(outcome.header, outcome.rows),
        *([markdown_table(GOALS, [goal.row() for goal in outcome.goals])] if outcome.goals else []),
        *notes,
    ]
    return "\n\n".join(parts) + "\n"


def write_json(outcome: Outcome, machine: Machine, date: str, folder: Path) -> Path:
    """Write the outcome to `<folder>/<benchmark>.json`; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{outcome.benchmark}.json"
    content = {
        "benchmark": outcome.benchmark,
        "date": date,
        "machine": machine,
        "settings": outcome.settings,
        "results": outcome.results,
        "goals": [
            {"goal": goal.text, "value": goal.value, "bound": goal.bound, "met": goal.met}
            for goal in outcome.goals
        ],
    }
    path.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    return path


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, columns as wide as their widest cell."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = line(["-" * width for width in widths])
    return "\n".join([line(header), rule, *(line(row) for row in rows)])
