"""Groups of requests and their latency as a table."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboard.breakdown import key_words
from reports import quantile, share_above
from reports.formatting import percent
from store import Grouping, Traffic

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

TOO_FEW = "too few"
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def latency_frame(
    groups: Sequence[Traffic], by: Sequence[Grouping], limit_ms: float
) -> pd.DataFrame:
    """Return a row for each group, most requests first; `limit_ms` is the target of the p99.

    A quantile beyond which there are fewer than 100 requests is empty: too few to speak of.
    """
    rows = []
    for group in groups:
        found = {name: quantile(group.latency, q) for name, q in QUANTILES.items()}
        rows.append(
            {
                "group": key_words(group.key, by),
                "requests": group.requests,
                "failed": group.failures,
                **{name: q.ms if q.supported else None for name, q in found.items()},
                "above": share_above(group.latency, limit_ms),
            }
        )
    columns = ["group", "requests", "failed", *QUANTILES, "above"]
    return pd.DataFrame(rows, columns=columns).astype(
        {**dict.fromkeys(QUANTILES, float), "above": float}
    )


def styled(frame: pd.DataFrame) -> "Styler":
    """Return `frame` with its numbers as people read them; the view words a missing one."""
    words: dict[Any, str | Callable[[Any], str] | None] = {
        "requests": "{:,}".format,
        "failed": "{:,}".format,
        **dict.fromkeys(QUANTILES, "{:,.2f}"),
        "above": percent,
    }
    return frame.style.format(words)
