"""Urgent requests alone and beside an offline load that takes all that is left."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median

from benchmarks.closed_loop import LoadSummary, load_summary, running_tool, running_wrk
from benchmarks.models import BenchmarkModel, cnn, job_line
from benchmarks.open_loop import open_loop, poisson_schedule
from benchmarks.raw_runtime import RawRuntime
from benchmarks.report import Goal, Outcome, Spread
from benchmarks.rounds import in_turn, paired_ratios
from benchmarks.servers import NotMeasuredError, Server, Workplace
from benchmarks.spool_reader import delete_closed_segments

LOADS = (0.3, 0.5)
# Offline requests that are always outstanding, as many as a job has: twice the largest batch.
OFFLINE_CONNECTIONS = 64
MOST_P99_RATIO = 1.10
RAW_S = 2.0
# The offline load is under way before the first urgent request.
LEAD_S = 1.0
# It is interrupted long before.
MOST_S = 3600

# Starts an offline load, or nothing.
Start = Callable[[], AbstractContextManager["subprocess.Popen[str] | None"]]
ALONE, REQUESTS, JOB = "nothing", "requests of priority batch", "an offline job"
HEADER = ["urgent load", "requests/s", "beside", "p50 ms", "p99 ms", "offline items/s"]


@dataclass(frozen=True)
class Run:
    """One round; latencies of the urgent requests in milliseconds."""

    p50_ms: float
    p99_ms: float
    failed: int
    offline_per_s: float


@dataclass(frozen=True)
class Line:
    """One urgent load beside one offline load."""

    load: float
    rate_per_s: float
    beside: str
    runs: Sequence[Run]
    missing: str = ""

    def figures(self, name: str) -> list[float]:
        """Return one field of every run."""
        return [float(getattr(run, name)) for run in self.runs]

    def row(self) -> list[str]:
        """Return it as a row under HEADER."""
        start = [f"{self.load:.0%}", f"{self.rate_per_s:.0f}", self.beside]
        if not self.runs:
            return [*start, f"not measured: {self.missing}", "-", "-"]
        failed = sum(run.failed for run in self.runs)
        return [
            *start,
            Spread.of(self.figures("p50_ms")).text(2) + (f", {failed} failed" if failed else ""),
            Spread.of(self.figures("p99_ms")).text(2),
            "-" if self.beside == ALONE else Spread.of(self.figures("offline_per_s")).text(),
        ]


def offline(place: Workplace, seconds: float, rounds: int) -> Outcome:
    """Measure every urgent load beside every offline load; one run takes `seconds`.

    Raises NotMeasuredError where the node does not start.
    """
    model = cnn()
    capacity_per_s = RawRuntime(model).measure(min(RAW_S, seconds)).items_per_s[1]
    lines: list[Line] = []
    with place.node(model) as node:
        beside, missing = _usable(node, model)
        found = in_turn(
            {
                (load, name): partial(_run, node, load * capacity_per_s, start, seconds)
                for load in LOADS
                for name, start in beside.items()
            },
            rounds,
        )
    for load in LOADS:
        rate_per_s = load * capacity_per_s
        lines += [Line(load, rate_per_s, name, found[load, name]) for name in beside]
        lines += [Line(load, rate_per_s, name, [], why) for name, why in missing.items()]
    results: list[Mapping[str, object]] = [asdict(line) for line in lines]
    return Outcome(
        benchmark="offline",
        settings={"seconds": seconds, "rounds": rounds, "connections": OFFLINE_CONNECTIONS},
        results=results,
        header=HEADER,
        rows=[line.row() for line in lines],
        goals=[_goal(line, lines) for line in lines if line.beside != ALONE],
        notes=[
            f"Loads are shares of {capacity_per_s:.0f} requests/s, what ONNX Runtime alone serves "
            "one by one. The offline clients, which would be on another machine, get the processor "
            "when nobody else wants it. The urgent requests of a round come at the same instants "
            "in every case."
        ],
    )


def _usable(node: Server, model: BenchmarkModel) -> tuple[dict[str, Start], dict[str, str]]:
    """Return how to start each offline load that works, and why the others do not."""
    line = node.folder / "line.json"
    line.write_bytes(job_line(model))
    client = [
        sys.executable, "-m", "benchmarks.job_client",
        str(node.port), f"/v2/models/{model.name}/jobs", str(line),
    ]  # fmt: skip
    patient = node.asking(x_priority="batch")
    offered: dict[str, Start] = {
        REQUESTS: lambda: running_wrk(patient, OFFLINE_CONNECTIONS, MOST_S, idle=True),
        JOB: lambda: running_tool(client, idle=True),
    }
    beside: dict[str, Start] = {ALONE: nullcontext}
    missing = {}
    for name, start in offered.items():
        try:
            with start() as tool:
                _finished(tool, LEAD_S)
            beside[name] = start
        except NotMeasuredError as error:
            missing[name] = str(error)
    return beside, missing


def _run(node: Server, rate_per_s: float, start: Start, seconds: float, round_number: int) -> Run:
    schedule = poisson_schedule(round_number + 1, rate_per_s, seconds)
    urgent = node.asking(x_priority="high")
    with start() as tool:
        if tool is not None:
            time.sleep(LEAD_S)
        load = open_loop(urgent, schedule)
        work = None if tool is None else _finished(tool, 0)
    delete_closed_segments(node)
    return Run(
        p50_ms=load.latency_ms(50),
        p99_ms=load.latency_ms(99),
        failed=load.failed + (0 if work is None else work.failed),
        offline_per_s=0.0 if work is None else work.requests_per_s,
    )


def _finished(tool: "subprocess.Popen[str] | None", after_s: float) -> LoadSummary:
    assert tool is not None
    time.sleep(after_s)
    tool.send_signal(signal.SIGINT)
    return load_summary(tool, 0)


def _goal(line: Line, lines: Sequence[Line]) -> Goal:
    text = f"urgent load {line.load:.0%} beside {line.beside}: p99 over p99 alone"
    alone = next(other for other in lines if (other.load, other.beside) == (line.load, ALONE))
    if not line.runs:
        return Goal(text, None, MOST_P99_RATIO, at_least=False, note=line.missing)
    ratio = median(paired_ratios(line.figures("p99_ms"), alone.figures("p99_ms")))
    return Goal(text, ratio, MOST_P99_RATIO, at_least=False)
