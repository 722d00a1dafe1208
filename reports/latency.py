"""Latency of the requests of a window: over time, over its percentiles, and by group."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reports.window import Frame, Window, read_frame
from store import (
    EVERYTHING,
    Dropped,
    Filter,
    Grouping,
    HeatMap,
    Stages,
    Traffic,
    heat_map,
    open_reader,
    read_dropped,
    read_latency,
    read_stages,
    read_traffic,
)

# Rows of the heat map: more than these are not told apart at the height of a chart.
HEAT_MAP_ROWS = 36


@dataclass(frozen=True)
class LatencyReport:
    """Everything the Latency page shows, of the requests that `where` accepts.

    `counts` are the successful requests of the window by bucket, `previous` those of the window
    before, None where less than half of it is covered by data. `steps`, `stages` and `heat_map`
    leave out what has no request; `groups` have the most requests first.
    """

    shown: Frame
    where: Filter
    counts: Mapping[int, int]
    previous: Mapping[int, int] | None
    steps: list[tuple[int, Mapping[int, int]]]
    heat_map: HeatMap
    stages: list[Stages]
    groups: list[Traffic]
    dropped: list[Dropped]


def load_latency(
    database: Path,
    window: Window,
    now_us: int,
    where: Filter = EVERYTHING,
    by: Sequence[Grouping] = (),
) -> LatencyReport | None:
    """Return the latency of the last `window` before `now_us`, with a group for each value of `by`.

    Returns None when the database holds no fact yet. Raises StoreErrors.
    """
    with open_reader(database) as connection:
        shown = read_frame(connection, window, now_us, where)
        if shown is None:
            return None
        period, step_us = shown.period, shown.step_us
        before = period.before()
        steps = read_latency(connection, period, step_us, where=where)
        earlier = read_latency(connection, before, where=where)
        stages = read_stages(connection, period, step_us, where=where)
        groups = read_traffic(connection, period, by=by, where=where)
        dropped = read_dropped(connection, period, where=where)
    counts: Counter[int] = Counter()
    for step in steps:
        counts.update(step.counts)
    return LatencyReport(
        shown=shown,
        where=where,
        counts=counts,
        previous=(earlier[0].counts if earlier else {}) if shown.comparable else None,
        steps=[(step.from_us, step.counts) for step in steps],
        heat_map=heat_map(steps, HEAT_MAP_ROWS),
        stages=stages,
        groups=groups,
        dropped=dropped,
    )
