"""How the collector fares: delay to commit, records stored, the file held and waited for."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.charts.over_time import Axis, Series, lines
from reports import palette
from store import MINUTE_US, CommitMinute

SECOND_US = 1_000_000


def lag(minutes: Sequence[CommitMinute], axis: Axis) -> go.Figure:
    """Return the longest delay from the arrival of a request to its commit, by step."""
    figure = lines(
        [
            Series(
                "Longest delay",
                _most(minutes, axis, "lag_us_max", SECOND_US),
                palette.BLUE,
                hover="%{y:.3~r} s",
            )
        ],
        axis,
        "s, arrival to commit",
        showlegend=False,
    )
    figure.update_yaxes(rangemode="tozero")
    return figure


def stored(minutes: Sequence[CommitMinute], axis: Axis) -> go.Figure:
    """Return records stored and lines rejected per second, by step.

    The last minute of the period still runs: it is left out, or it would look like a dip.
    """
    end_us = axis.period.to_us - MINUTE_US
    minutes = [minute for minute in minutes if minute.minute_us < end_us]

    def rates(name: str) -> dict[int, float]:
        sums = _sums(minutes, axis, name, 1)
        return {
            start: total * SECOND_US / (min(start + axis.step_us, end_us) - start)
            for start, total in sums.items()
        }

    series = [Series("Records stored", rates("records"), palette.BLUE)]
    if any(minute.rejected for minute in minutes):
        series.append(Series("Lines rejected", rates("rejected"), palette.VERMILLION, dash="dot"))
    figure = lines(series, axis, "per second")
    figure.update_yaxes(rangemode="tozero")
    return figure


def lock(minutes: Sequence[CommitMinute], axis: Axis) -> go.Figure:
    """Return the longest wait for the file and how long a commit held it, by step, in ms."""
    held = _sums(minutes, axis, "held_us", 1000)
    commits = _sums(minutes, axis, "commits", 1)
    figure = lines(
        [
            Series(
                "Longest wait for readers",
                _most(minutes, axis, "lock_wait_us_max", 1000),
                palette.VERMILLION,
                dash="dot",
                hover="%{y:.3~r} ms",
            ),
            Series(
                "Held per commit, mean",
                {start: held[start] / (commits[start] or 1) for start in held},
                palette.BLUE,
                hover="%{y:.3~r} ms",
            ),
        ],
        axis,
        "ms",
    )
    figure.update_yaxes(rangemode="tozero")
    return figure


def _start(minute: CommitMinute, axis: Axis) -> int:
    return minute.minute_us - (minute.minute_us - axis.period.from_us) % axis.step_us


def _most(
    minutes: Sequence[CommitMinute], axis: Axis, name: str, unit: float
) -> dict[int, float | None]:
    found: dict[int, float | None] = {}
    for minute in minutes:
        value = getattr(minute, name)
        if value is not None:
            start = _start(minute, axis)
            found[start] = max(found.get(start) or 0.0, value / unit)
    return found


def _sums(minutes: Sequence[CommitMinute], axis: Axis, name: str, unit: float) -> dict[int, float]:
    found: dict[int, float] = {}
    for minute in minutes:
        start = _start(minute, axis)
        found[start] = found.get(start, 0.0) + getattr(minute, name) / unit
    return found
