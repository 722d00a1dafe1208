"""The figures that answer "how fast is it, and how often is it too slow"."""

from collections.abc import Mapping

from reports import LatencyReport, LatencyTargets, quantile, share_above
from reports.change import (
    NOTHING_BEFORE,
    Change,
    Polarity,
    points_change,
    relative_change,
)
from reports.formatting import count, duration_ms, percent
from reports.tile import Detail, Tile

QUANTILES = (("p50", 0.5, "Half of the"), ("p95", 0.95, "95 of 100"), ("p99", 0.99, "99 of 100"))
# The share of requests that may be slower than the target of the p99.
ACCEPTED_ABOVE = 0.01


def latency_tiles(report: LatencyReport, targets: LatencyTargets) -> list[Tile]:
    """Return p50, p95, p99 and the share of requests that were slower than the p99 target."""
    tiles = [
        _quantile(report, name, q, share, getattr(targets, name)) for name, q, share in QUANTILES
    ]
    return [*tiles, _above(report, targets.p99)]


def _quantile(report: LatencyReport, name: str, q: float, share: str, limit_ms: float) -> Tile:
    found = quantile(report.counts, q)
    value, unit = duration_ms(found.ms)
    before = None if report.previous is None else quantile(report.previous, q).ms
    change = (
        NOTHING_BEFORE
        if report.previous is None
        else relative_change(found.ms, before, Polarity.LOWER_IS_BETTER)
    )
    slower = count(found.tail) if found.supported else f"{count(found.tail)}, too few to be sure"
    return Tile(
        key=f"latency-{name}",
        label=f"Latency {name}",
        value=value,
        unit=unit,
        definition=f"{share} successful requests were answered at least this fast, from arrival "
        "at the node to the ready response.",
        change=change,
        trend=[quantile(counts, q).ms for _, counts in report.steps],
        details=(
            Detail(
                "target", f"{limit_ms:g} ms", None if found.ms is None else found.ms <= limit_ms
            ),
            Detail("slower requests", slower),
        ),
    )


def _above(report: LatencyReport, limit_ms: float) -> Tile:
    share = share_above(report.counts, limit_ms)
    successes = sum(report.counts.values())
    slow = 0 if share is None else round(share * successes)
    return Tile(
        key="slo-miss",
        label=f"Slower than {limit_ms:g} ms",
        value=percent(share),
        unit="",
        definition="The share of successful requests that took longer than the target of the p99.",
        change=_points(share, report.previous, limit_ms),
        trend=[share_above(counts, limit_ms) for _, counts in report.steps],
        details=(
            Detail(
                "target",
                percent(ACCEPTED_ABOVE),
                None if share is None else share <= ACCEPTED_ABOVE,
            ),
            Detail("requests", f"{count(slow)} of {count(successes)}"),
        ),
    )


def _points(share: float | None, previous: Mapping[int, int] | None, limit_ms: float) -> Change:
    if previous is None:
        return NOTHING_BEFORE
    return points_change(share, share_above(previous, limit_ms), Polarity.LOWER_IS_BETTER)
