"""Days of the last weeks that were not as usual, with what drove them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from costs import TICKS_PER_USD, Ticks
from costs.anomaly import Anomalies, Slices, Use, find_anomalies
from costs.daily_series import LOOK_BACK_DAYS
from costs.weekly_level import WEEK
from reports.budgets.daily import (
    Day,
    Direct,
    Extent,
    Source,
    read_direct,
    read_groups,
    read_machines,
)
from store import By, ByLabel, Grouping, read_choices, read_label_choices

# Six weeks are told of; what slices usually cost in the first of them is learnt from those before.
TOLD_DAYS = 6 * WEEK
LOOKED_AT_DAYS = TOLD_DAYS + LOOK_BACK_DAYS
# Of more values than this, only the largest can be what drove a day.
MOST_VALUES = 100

# Values of this dimension say what they are by themselves.
PARTS = "part of the cost"
USED, IDLE = "machine time used by requests", "idle machine time"
COMPONENTS = (
    ("network", "network"),
    ("storage", "storage"),
    ("cache", "caches"),
    ("commitment", "commitments not used"),
)


def read_anomalies(source: Source, extent: Extent, days: Sequence[Day]) -> Anomalies:
    """Return the anomalies of the last weeks of `days`, all days of `extent`.

    They are judged by all days before them: by fewer, a day would be judged anew as it gets older.
    """
    # Of a first day that is known in part nothing can be said.
    part = [not day.whole and place == 0 for place, day in enumerate(days)]
    whole = Use(
        [None if cut else _usd(day.cost.total) for cut, day in zip(part, days, strict=True)],
        [None if cut else float(day.answered) for cut, day in zip(part, days, strict=True)],
    )
    told_from = extent.last(TOLD_DAYS).first_day

    def find(slices: Slices) -> Anomalies:
        seen = find_anomalies(extent.first_day, whole, slices, running=extent.running)
        return replace(seen, found=tuple(one for one in seen.found if one.day >= told_from))

    seen = find({})
    if not seen.found:
        return seen
    # Drivers are looked for where there is something to drive: slices may be many.
    looked_at = extent.last(LOOKED_AT_DAYS)
    places = [(one.day - looked_at.first_day).days for one in seen.found]
    return find(_slices(source, looked_at, days[-len(looked_at.starts) :], places))


def _slices(source: Source, extent: Extent, days: Sequence[Day], places: Sequence[int]) -> Slices:
    slices: dict[str, dict[str | None, Use]] = {}
    for name, by, values in _request_dimensions(source):
        if len(values) > MOST_VALUES:
            values = _largest(source, extent, by, places)
        groups = read_groups(source, extent, by, values)
        slices[name] = {value: _use(direct) for value, direct in groups.items()}
    return slices | _machine_dimensions(source, extent) | {PARTS: _components(days)}


def _request_dimensions(source: Source) -> list[tuple[str, Grouping, Sequence[str | None]]]:
    """Return dimensions with all their values, the one to name first coming first."""
    choices = read_choices(source.connection)
    labels = read_label_choices(source.connection)
    return [
        ("model", By.MODEL, choices["model"]),
        ("tenant", By.TENANT, choices["tenant"]),
        *((f"label {name}", ByLabel(name), [*v, None]) for name, v in labels.items()),
    ]


def _largest(
    source: Source, extent: Extent, by: Grouping, places: Sequence[int]
) -> list[str | None]:
    """Return the values that cost most on the days `places`, or a week before each of them.

    What drove a day is among them: it cost much then, or did before it went.
    """
    most: dict[str | None, Ticks] = {}
    for place in sorted({max(0, at - before) for at in places for before in (0, WEEK)}):
        for (value,), [direct] in read_direct(source, extent.day(place), (by,)).items():
            most[value] = max(most.get(value, direct.ticks), direct.ticks)
    return sorted(most, key=lambda value: (-most[value], value or ""))[:MOST_VALUES]


def _machine_dimensions(source: Source, extent: Extent) -> dict[str, dict[str | None, Use]]:
    found: dict[str, dict[str | None, list[Ticks]]] = {}
    nothing: list[Ticks] = [Fraction(0)] * len(extent.starts)
    for machine, ticks in read_machines(source, extent).items():
        for dimension, value in (
            ("region", machine.region),
            ("instance type", machine.instance_type),
            ("purchase option", machine.purchase_option.replace("_", "-")),
        ):
            sums = found.setdefault(dimension, defaultdict(lambda: nothing))
            sums[value] = [a + b for a, b in zip(sums[value], ticks, strict=True)]
    return {
        dimension: {value: Use([_usd(each) for each in ticks]) for value, ticks in sums.items()}
        for dimension, sums in found.items()
    }


def _components(days: Sequence[Day]) -> dict[str | None, Use]:
    found: dict[str | None, Use] = {
        USED: Use([_usd(d.cost.compute) for d in days], [float(d.answered) for d in days]),
        IDLE: Use([_usd(d.cost.idle) for d in days]),
    }
    for name, words in COMPONENTS:
        found[words] = Use([_usd(getattr(day.cost, name)) for day in days])
    return found


def _use(days: Sequence[Direct]) -> Use:
    return Use([_usd(day.ticks) for day in days], [float(day.answered) for day in days])


def _usd(ticks: Ticks) -> float:
    return float(Fraction(ticks) / TICKS_PER_USD)
