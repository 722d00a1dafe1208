"""Whether the node's memory stays flat: sampled every second under bounded and under full load."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.closed_loop import LoadSummary, load_summary, running_wrk, wrk_command
from benchmarks.models import mlp
from benchmarks.report import Goal, Outcome
from benchmarks.servers import Server, Workplace
from benchmarks.spool_reader import delete_closed_segments

CONNECTIONS = 32
# 32 connections that wait so long before each request ask at most 1,000 times a second.
BOUNDED_PAUSE_MS = 32
INTERVAL_S = 1.0
# Until then caches and pools fill; from there on nothing should grow.
SETTLED_SHARE = 0.2
MOST_MIB_PER_HOUR = 10.0
HEADER = ["load", "requests/s", "MiB at 1 min", "MiB at the end", "highest MiB", "MiB per hour"]


@dataclass(frozen=True)
class Line:
    """One node under one load; a sample is (seconds since the load began, resident bytes)."""

    load: str
    requests_per_s: float
    failed: int
    samples: Sequence[tuple[float, int]]

    def mib_at(self, second: float) -> float:
        """Return the memory at the sample nearest to `second`."""
        return min(self.samples, key=lambda sample: abs(sample[0] - second))[1] / 2**20

    def slope_mib_per_hour(self) -> float:
        """Return the least-squares slope after SETTLED_SHARE of the time."""
        [*_, (end_s, _)] = self.samples
        settled = [sample for sample in self.samples if sample[0] >= SETTLED_SHARE * end_s]
        if len(settled) < 2:
            return 0.0
        seconds, resident = np.array(settled, float).T
        return float(np.polyfit(seconds / 3600, resident / 2**20, 1)[0])

    def row(self) -> list[str]:
        """Return it as a row under HEADER."""
        failed = f", {self.failed} failed" if self.failed else ""
        return [
            self.load,
            f"{self.requests_per_s:,.0f}{failed}",
            f"{self.mib_at(60):.1f}",
            f"{self.mib_at(self.samples[-1][0]):.1f}",
            f"{max(resident for _, resident in self.samples) / 2**20:.1f}",
            f"{self.slope_mib_per_hour():+.1f}",
        ]


def memory(place: Workplace, seconds: float, _rounds: int) -> Outcome:
    """Load two nodes at the same time for `seconds`, one at a bounded rate, one as fast as it can.

    Raises NotMeasuredError where wrk is missing or a node does not start.
    """
    wrk_command()
    pauses = {"bounded": BOUNDED_PAUSE_MS, "full speed": None}
    with ExitStack() as stack:
        nodes = {load: stack.enter_context(place.node(mlp())) for load in pauses}
        samples, summaries = _sampled(nodes, pauses, max(1, round(seconds)))
    lines = [
        Line(load, summaries[load].requests_per_s, summaries[load].failed, samples[load])
        for load in pauses
    ]
    results: list[Mapping[str, object]] = [asdict(line) for line in lines]
    return Outcome(
        benchmark="memory",
        settings={"seconds": seconds, "connections": CONNECTIONS},
        results=results,
        header=HEADER,
        rows=[line.row() for line in lines],
        goals=[
            Goal(
                f"{line.load}: growth in MiB per hour",
                line.slope_mib_per_hour(),
                MOST_MIB_PER_HOUR,
                at_least=False,
            )
            for line in lines
        ],
        notes=[
            "Both nodes run at the same time. The slope is that of a least-squares line through "
            "the last 80 % of the samples, one a second; each node's spool is kept short."
        ],
    )


def _sampled(
    nodes: Mapping[str, Server], pauses: Mapping[str, int | None], seconds: int
) -> tuple[dict[str, list[tuple[float, int]]], dict[str, LoadSummary]]:
    samples: dict[str, list[tuple[float, int]]] = {load: [] for load in nodes}
    with ExitStack() as stack:
        clients = {
            load: stack.enter_context(
                running_wrk(node, CONNECTIONS, seconds, pause_ms=pauses[load])
            )
            for load, node in nodes.items()
        }
        started_s = time.monotonic()
        number = 0
        while all(client.poll() is None for client in clients.values()):
            for load, node in nodes.items():
                samples[load].append((time.monotonic() - started_s, node.memory_bytes()))
                delete_closed_segments(node)
            number += 1
            time.sleep(max(0.0, started_s + number * INTERVAL_S - time.monotonic()))
        return samples, {load: load_summary(client, seconds) for load, client in clients.items()}
