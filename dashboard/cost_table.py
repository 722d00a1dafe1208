"""Groups of requests and their cost as a table, and what each component came to."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pandas as pd

from costs import TICKS_PER_USD, Components, Ticks, split_usd
from dashboard.breakdown import key_words
from dashboard.charts.cost_components import COMPONENTS
from dashboard.simulated_mark import Part
from dashboard.table_csv import table_csv
from reports.change import Polarity, relative_change
from reports.costs import CostReport, CostSlice
from reports.formatting import DASH, count, percent, usd
from store import HOUR_US, ByLabel, Totals

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

MONEY = ("compute", "network", "borne", "cost", "per_1000", "failed_usd", "per_million")
APART = "not shared out"
# More than anybody scrolls through; a styled table has a limit of cells, too.
MOST_LISTED = 1_000


def slice_frame(report: CostReport) -> pd.DataFrame:
    """Return a row for each slice, dearest first, and one for what stands apart. USD.

    Beyond MOST_LISTED slices, those left are one row together.
    """
    listed, rest = report.slices[:MOST_LISTED], report.slices[MOST_LISTED:]
    rows = [_row(key_words(each.key, report.by), each) for each in listed]
    if rest:
        rows.append(_row(f"{count(len(rest))} others", _together(rest)))
    if report.apart:
        rows.append({"group": APART, "borne": _usd(report.apart), "cost": _usd(report.apart)})
    columns = ["group", "requests", "failed", *MONEY[:4], "share", *MONEY[4:]]
    frame = pd.DataFrame(rows, columns=columns).astype(
        {**dict.fromkeys((*MONEY, "share"), float), "requests": "Int64", "failed": "Int64"}
    )
    frame["share"] = frame["cost"] / (frame["cost"].sum() or 1.0)
    return frame


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
                "cost": usd(_usd(cost)),
                "share": percent(float(cost) / whole),
            }
            for machine, cost in report.bought
        ],
        columns=["option", "machine", "cost", "share"],
    )


def commitment_frame(report: CostReport) -> pd.DataFrame:
    """Return how the commitments of the window were used, by machine."""
    return pd.DataFrame(
        [
            {
                "machine": f"{use.machine.instance_type}, {use.machine.cloud} {use.machine.region}",
                "hours": f"{float(use.committed_us / HOUR_US):,.2f}",
                "used": percent(
                    float(use.covered_us / use.committed_us) if use.committed_us else None
                ),
                "paid": usd(_usd(use.paid)),
                "unused": usd(_usd(use.unused)),
                "excess": usd(_usd(use.excess)),
            }
            for use in report.commitments
        ],
        columns=["machine", "hours", "used", "paid", "unused", "excess"],
    )


def slice_csv(report: CostReport, simulated: Part | None = None) -> str:
    """Return all slices, and what stands apart, in USD to twelve decimals.

    The parts of a row add up to its cost, and every column to the whole, rounded once: largest
    remainder. `simulated` is as for `table_csv`.
    """
    header = [
        *(f"label:{each.name}" if isinstance(each, ByLabel) else each.value for each in report.by),
        "requests", "failed", "input_tokens", "output_tokens",
        "compute_usd", "network_usd", "idle_usd", "cost_usd", "failed_requests_usd",
    ]  # fmt: skip
    slices = report.slices
    nothing = Fraction(0)
    compute = split_usd([*(each.compute for each in slices), nothing])
    network = split_usd([*(each.network for each in slices), nothing])
    borne = split_usd([*(each.borne for each in slices), report.apart])
    failed = split_usd([*(each.failed for each in slices), nothing])
    money = [
        (*parts, sum(parts, Decimal(0)), errors)
        for *parts, errors in zip(compute, network, borne, failed, strict=True)
    ]
    rows: list[list[object]] = [[*each.key, *_counts(each)] for each in slices]
    if report.apart:
        nobody = [APART, *[None] * len(report.by)][: len(report.by)]
        rows.append([*nobody, *_counts(CostSlice(()))])
    lines = ([*row, *usd] for row, usd in zip(rows, money, strict=False))
    return table_csv(header, lines, simulated)


def _row(group: str, each: CostSlice) -> dict[str, object]:
    return {
        "group": group,
        "requests": each.totals.requests,
        "failed": each.totals.failures,
        "compute": _usd(each.compute),
        "network": _usd(each.network),
        "borne": _usd(each.borne),
        "cost": _usd(each.cost),
        "per_1000": _usd(each.per_1000(each.cost)),
        "failed_usd": _usd(each.failed),
        "per_million": _usd(each.per_million_tokens(each.cost)),
    }


def _counts(each: CostSlice) -> list[int]:
    totals = each.totals
    return [totals.requests, totals.failures, totals.input_tokens, totals.output_tokens]


def _together(slices: Sequence[CostSlice]) -> CostSlice:
    def whole(part: str) -> Ticks:
        return sum((getattr(each, part) for each in slices), Fraction(0))

    return CostSlice(
        (),
        sum((each.totals for each in slices), Totals()),
        *(whole(part) for part in ("compute", "network", "failed", "borne")),
    )


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
