"""The review as JSON, for programs: the same figures, exact where they are money."""

from datetime import UTC
from typing import Any

import msgspec

from costs import Components, split_usd, to_usd
from reports.formatting import instant
from reports.weekly.amount import split_steps
from reports.weekly.bridge import Bridge, Mover
from reports.weekly.headline import headline
from reports.weekly.review import (
    Counted,
    MonthEnd,
    Reconciliation,
    Stretch,
    WeeklyReview,
)
from store import Period

COMPONENTS = ("compute", "idle", "network", "storage", "cache", "commitment")


def to_json(review: WeeklyReview) -> bytes:
    """Return `review` as one JSON object, indented; amounts are numbers with twelve decimals."""
    found = {
        "week": str(review.week),
        "headline": headline(review),
        "ended": review.ended,
        "period": _period(review.period),
        "freshness": {
            "newest_fact_at": _instant(review.freshness.newest_fact_us),
            "hours": review.freshness.hours,
            "hours_missing": review.freshness.hours_missing,
            "hours_missing_before": review.freshness.missing_before,
        },
        "coverage": _coverage(review),
        "reconciliation": _reconciliation(review.reconciliation),
        "this_week": _counted(review.now),
        "week_before": _counted(review.before),
        "p99_target_ms": review.p99_target_ms,
        "month_end": None if review.month_end is None else _month_end(review.month_end),
        "bridge": None if review.bridge is None else _bridge(review.bridge),
        "days": [_stretch(one) for one in review.days],
        "weeks": [_stretch(one) for one in review.weeks],
        "months": [_stretch(one) for one in review.months],
        "movers": [_mover(mover) for mover in review.movers],
        "actions": [vars(action) for action in review.actions],
    }
    encoder = msgspec.json.Encoder(decimal_format="number")
    return msgspec.json.format(encoder.encode(found), indent=2) + b"\n"


def _counted(found: Counted | None) -> dict[str, Any] | None:
    if found is None:
        return None
    figures = found.figures
    return {
        "spend_usd": None if found.cost is None else to_usd(found.cost.total),
        "parts_usd": None if found.cost is None else _parts(found.cost),
        "usd_per_1000": found.usd_per_1000,
        "idle_share": found.idle_share,
        "requests": figures.requests,
        "failures": figures.failures,
        "simulated_requests": found.simulated_requests,
        "simulated": found.simulated,
        "measured": found.measured,
        "p50_ms": figures.p50_ms,
        "p95_ms": figures.p95_ms,
        "p99_ms": figures.p99_ms,
        "utilization": figures.utilization,
    }


def _parts(cost: Components) -> dict[str, Any]:
    """Return the parts of a cost such that they add up to its rounded sum."""
    amounts = split_usd([getattr(cost, name) for name in COMPONENTS])
    return dict(zip(COMPONENTS, amounts, strict=True))


def _stretch(found: Stretch) -> dict[str, Any]:
    return {"name": found.name, "whole": found.whole, **(_counted(found.counted) or {})}


def _coverage(review: WeeklyReview) -> dict[str, Any]:
    found = review.coverage
    return {
        "missing_records": found.missing_records,
        "dropped_facts": {node.node_id: node.facts for node in found.dropped},
        "rejected_lines": found.rejected_lines,
        "unmeasured_requests": found.unmeasured_requests,
        "unpriced_machines": [str(machine) for machine in found.unpriced],
        "unpriced_bytes": list(found.unpriced_bytes),
        "old_prices": [str(price.machine) for price in found.old_prices],
    }


def _reconciliation(found: Reconciliation) -> dict[str, Any]:
    return {
        "spend_usd": to_usd(found.whole),
        "exact": found.exact,
        "sums": [
            {"count": part.count, "of": part.name, "usd": to_usd(part.total)} for part in found.sums
        ],
    }


def _bridge(found: Bridge) -> dict[str, Any]:
    before, changes, now = split_steps(found.before, [driver.change for driver in found.drivers])
    return {
        "before_usd": before,
        "drivers": [
            {"driver": driver.key, "name": driver.name, "usd": usd}
            for driver, usd in zip(found.drivers, changes, strict=True)
        ],
        "now_usd": now,
        "exact": found.exact,
    }


def _mover(found: Mover) -> dict[str, Any]:
    before, [change], now = split_steps(found.before, [found.change])
    return {
        "name": found.name,
        "before_usd": before,
        "now_usd": now,
        "change_usd": change,
        "cause": found.cause,
    }


def _month_end(found: MonthEnd) -> dict[str, Any]:
    return {
        "month": f"{found.month:%Y-%m}",
        "over": found.over,
        "spent_usd": to_usd(found.spent[-1]) if found.spent else None,
        "forecast_usd": found.forecast_usd,
        "low_usd": found.low_usd,
        "high_usd": found.high_usd,
        "budget_usd": found.budget_usd,
        "earlier_usd": found.earlier_usd,
    }


def _period(period: Period) -> dict[str, str]:
    return {"from": _instant(period.from_us), "to": _instant(period.to_us)}


def _instant(at_us: int) -> str:
    return instant(at_us, UTC).isoformat().replace("+00:00", "Z")
