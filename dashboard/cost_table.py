"""Groups of requests and their cost as a table, and what each component came to."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

from costs import TICKS_PER_USD, Components, Ticks, to_usd
from dashboard.breakdown import key_words
from dashboard.charts.cost_components import COMPONENTS
from reports.change import Polarity, relative_change
from reports.costs import CostReport, CostSlice
from reports.formatting import DASH, percent, usd
from store import Grouping

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

MONEY = ("compute", "network", "borne", "cost", "per_1000", "failed_usd", "per_million")
APART = "not shared out"
HOUR_US = 3_600_000_000


def slice_frame(report: CostReport, by: Sequence[Grouping]) -> pd.DataFrame:
    """Return a row for each slice, dearest first, and one for what stands apart. USD."""
    whole = float(sum((each.cost for each in report.slices), report.apart)) or 1.0
    rows = [
        {
            "group": key_words(each.key, by),
            "requests": each.totals.requests,
            "failed": each.totals.failures,
            "compute": _usd(each.compute),
            "network": _usd(each.network),
            "borne": _usd(each.borne),
            "cost": _usd(each.cost),
            "share": float(each.cost) / whole,
            "per_1000": _usd(each.per_1000(each.cost)),
            "failed_usd": _usd(each.failed),
            "per_million": _usd(each.per_million_tokens(each.cost)),
        }
        for each in report.slices
    ]
    if report.apart and not report.sliced:
        rows.append(
            {
                "group": APART,
                "borne": _usd(report.apart),
                "cost": _usd(report.apart),
                "share": float(report.apart) / whole,
            }
        )
    columns = ["group", "requests", "failed", *MONEY[:4], "share", *MONEY[4:]]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({**dict.fromkeys((*MONEY, "share"), float)}).astype(
        {"requests": "Int64", "failed": "Int64"}
    )


def styled(frame: pd.DataFrame) -> "Styler":
    """Return `frame` with its numbers as people read them."""
    words: dict[Any, str | Callable[[Any], str] | None] = {
        **dict.fromkeys(MONEY, lambda value: usd(value) if pd.notna(value) else ""),
        "share": percent,
        "requests": lambda value: f"{value:,}" if pd.notna(value) else "",
        "failed": lambda value: f"{value:,}" if pd.notna(value) else "",
    }
    return frame.style.format(words)


def component_frame(report: CostReport) -> pd.DataFrame:
    """Return what each component came to in the window, its share and its change."""
    whole = float(report.total.total) or 1.0
    rows = []
    for name, called, _, _ in COMPONENTS:
        cost: Ticks = getattr(report.total, name)
        if cost or name in ("compute", "idle"):
            rows.append(_component(called, cost, whole, _before(report.previous, name)))
    rows.append(_component("All", report.total.total, whole, _before(report.previous, "total")))
    return pd.DataFrame(rows)


def bought_frame(report: CostReport) -> pd.DataFrame:
    """Return machine cost by machine: on demand, spot and reserved apart."""
    whole = float(sum((cost for _, cost in report.bought), 0)) or 1.0
    return pd.DataFrame(
        [
            {
                "option": machine.purchase_option.replace("_", "-"),
                "machine": f"{machine.instance_type}, {machine.cloud} {machine.region}",
                "cost": usd(float(to_usd(cost))),
                "share": percent(float(cost) / whole),
            }
            for machine, cost in report.bought
        ],
        columns=["option", "machine", "cost", "share"],
    )


def commitment_frame(report: CostReport) -> pd.DataFrame:
    """Return how the commitments of the hours of the window were used, by machine."""
    return pd.DataFrame(
        [
            {
                "machine": f"{use.machine.instance_type}, {use.machine.cloud} {use.machine.region}",
                "hours": f"{use.committed_us / HOUR_US:,.1f}",
                "used": percent(use.covered_us / use.committed_us if use.committed_us else None),
                "paid": usd(_usd(use.paid)),
                "unused": usd(_usd(use.unused)),
                "excess": usd(_usd(use.excess)),
            }
            for use in report.commitments
        ],
        columns=["machine", "hours", "used", "paid", "unused", "excess"],
    )


def slice_csv(slices: Sequence[CostSlice], by: Sequence[Grouping], apart: Ticks) -> list[list[str]]:
    """Return header and rows with exact amounts in USD, to twelve decimals."""
    header = [
        *(str(getattr(each, "name", each)).lower() for each in by),
        "requests", "failed", "input_tokens", "output_tokens",
        "compute_usd", "network_usd", "shared_usd", "cost_usd", "failed_requests_usd",
    ]  # fmt: skip
    rows = [
        [
            *(value or "" for value in each.key),
            str(each.totals.requests),
            str(each.totals.failures),
            str(each.totals.input_tokens),
            str(each.totals.output_tokens),
            *(
                f"{to_usd(cost):f}"
                for cost in (each.compute, each.network, each.borne, each.cost, each.failed)
            ),
        ]
        for each in slices
    ]
    nothing = f"{Decimal(0):.12f}"
    rest = f"{to_usd(apart):f}"
    empty = [""] * (len(by) - 1)
    return [
        header,
        *rows,
        [APART, *empty, "0", "0", "0", "0", nothing, nothing, rest, rest, nothing],
    ]


def _component(called: str, cost: Ticks, whole: float, before: Ticks | None) -> dict[str, str]:
    now = float(cost) / TICKS_PER_USD
    earlier = None if before is None else float(before) / TICKS_PER_USD
    change = relative_change(now, earlier, Polarity.LOWER_IS_BETTER)
    words = DASH if before is None else " ".join(filter(None, (change.arrow, change.amount)))
    return {
        "component": called,
        "cost": usd(now),
        "share": percent(float(cost) / whole),
        "change": words,
    }


def _before(previous: Components | None, name: str) -> Ticks | None:
    if previous is None:
        return None
    found: Ticks = getattr(previous, name)
    return found


def _usd(ticks: Ticks | None) -> float | None:
    return None if ticks is None else float(ticks) / TICKS_PER_USD
