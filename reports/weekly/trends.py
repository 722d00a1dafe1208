"""Six weeks beside twelve months: what a single week's change looks like from farther away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reports.formatting import DASH, duration_ms, usd
from reports.weekly.amount import spell_ticks
from reports.weekly.drawing import Columns, Value, columns
from reports.weekly.review import Counted, Stretch, WeeklyReview

Figure = Callable[[Counted], float | None]
Spelling = Callable[[Counted], str]


@dataclass(frozen=True)
class Trend:
    """A figure over six weeks beside twelve months."""

    title: str
    unit: str
    weeks: Columns
    months: Columns


def trends(review: WeeklyReview) -> list[Trend]:
    """Return the trends of spend, unit cost and latency, all up to the end of what is counted."""

    def trend(
        title: str, unit: str, figure: Figure, spell: Spelling, limit: float | None = None
    ) -> Trend:
        weeks, months = (
            columns(f"{title} by {kind}", _values(stretches, figure, spell), limit)
            for kind, stretches in (
                ("week", review.weeks),
                ("month", review.months),
            )
        )
        return Trend(title, unit, weeks, months)

    return [
        trend("Spend", "USD", lambda found: found.spend_usd, lambda f: spell_ticks(f.spend)),
        trend(
            "Cost per 1,000 requests",
            "USD",
            lambda found: found.usd_per_1000,
            lambda found: usd(found.usd_per_1000),
        ),
        trend(
            "Latency p99",
            "ms",
            lambda found: found.figures.p99_ms,
            lambda found: " ".join(duration_ms(found.figures.p99_ms)).strip(),
            review.p99_target_ms,
        ),
    ]


def _values(stretches: Sequence[Stretch], figure: Figure, spell: Spelling) -> list[Value]:
    return [
        Value(
            label=one.label,
            name=one.name,
            words=DASH if one.counted is None else spell(one.counted),
            value=None if one.counted is None else figure(one.counted),
            whole=one.whole,
            simulated=one.simulated,
        )
        for one in stretches
    ]
