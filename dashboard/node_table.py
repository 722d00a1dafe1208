"""Nodes and what each of them did, as a table."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboard.filter_words import value_words
from reports.formatting import percent, significant
from store import Utilization

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

GIBIBYTE = 2**30
SHARES = ("utilization", "cpu", "gpu")
NUMBERS = ("ready", "queue", "memory")


def node_frame(nodes: Sequence[Utilization]) -> pd.DataFrame:
    """Return a row for each of `nodes`, whose keys are name and instance type."""
    rows = [
        {
            "node": value_words(node.key[0]),
            "machine": value_words(node.key[1]),
            "ready": node.workers_ready,
            "utilization": node.utilization,
            "cpu": node.cpu_utilization,
            "gpu": node.gpu_utilization,
            "queue": node.queue_depth,
            "queue_most": node.queue_depth_max,
            "memory": node.memory_bytes_max / GIBIBYTE,
        }
        for node in nodes
    ]
    columns = [
        "node", "machine", "ready", "utilization", "cpu", "gpu", "queue", "queue_most", "memory"
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype(dict.fromkeys((*SHARES, *NUMBERS), float))


def styled(frame: pd.DataFrame) -> "Styler":
    """Return `frame` with its numbers as people read them; the view words a missing one."""
    words: dict[Any, str | Callable[[Any], str] | None] = {
        **dict.fromkeys(SHARES, percent),
        **dict.fromkeys(NUMBERS, significant),
        "queue_most": "{:,}".format,
    }
    return frame.style.format(words)
