"""Throughput while every connection always asks: the node, mosec, floors, ONNX Runtime alone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median

from benchmarks.closed_loop import ClosedLoop, closed_loop
from benchmarks.models import BenchmarkModel, cnn, mlp
from benchmarks.raw_runtime import RawRate, RawRuntime, best_batch_size
from benchmarks.report import Goal, Outcome, Spread
from benchmarks.rounds import Contestants, in_turn, paired_ratios
from benchmarks.servers import MAX_BATCH_SIZE, Server, Workplace
from benchmarks.spool_reader import delete_closed_segments

CONNECTIONS = (32, 64)
MOSEC_WAITS_MS = (0, 1, 5)
NODE, MOSEC, RAW = "node", "mosec", "ONNX Runtime in process"
FLOORS = {"uvicorn": "floor: uvicorn", "httptools": "floor: httptools"}
WARM_UP_S = 1
TUNING_S = 2
RAW_S = 2.0
HEADER = [
    "model", "server", "connections", "requests/s", "p50 ms", "p99 ms", "CPU us/request", "MiB",
]  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One server under one load: a run per round, or why there is none."""

    model: str
    server: str
    connections: int
    runs: Sequence[ClosedLoop]
    missing: str = ""

    def figures(self, name: str) -> list[float]:
        """Return one field of every run."""
        return [float(getattr(run, name)) for run in self.runs]

    def row(self) -> list[str]:
        """Return it as a row under HEADER."""
        start = [self.model, self.server, str(self.connections)]
        if not self.runs:
            return [*start, f"not measured: {self.missing}", "-", "-", "-", "-"]
        failed = sum(run.failed for run in self.runs)
        return [
            *start,
            Spread.of(self.figures("requests_per_s")).text()
            + (f", {failed} failed" * (failed > 0)),
            Spread.of(self.figures("p50_ms")).text(2),
            Spread.of(self.figures("p99_ms")).text(2),
            Spread.of(self.figures("cpu_us_per_request")).text(1),
            f"{median(self.figures('memory_bytes')) / 2**20:.0f}",
        ]


@dataclass(frozen=True)
class Comparison:
    """All that was measured with one model; `raw` has one entry per round, too."""

    model: str
    raw: list[RawRate]
    lines: list[Line]

    def line(self, server: str, connections: int) -> Line:
        """Return the line of that server and load."""
        return next(
            line
            for line in self.lines
            if line.server.startswith(server) and line.connections == connections
        )

    def raw_items_per_s(self) -> list[float]:
        """Return for every round what ONNX Runtime alone reached at its best batch size."""
        size = best_batch_size(self.raw)
        return [rate.items_per_s[size] for rate in self.raw]

    def rows(self) -> list[list[str]]:
        """Return the rows under HEADER."""
        single = Spread.of([rate.items_per_s[1] for rate in self.raw])
        size = best_batch_size(self.raw)
        best = Spread.of(self.raw_items_per_s())
        return [
            [self.model, f"{RAW}, batch of 1", "-", single.text(), "-", "-", "-", "-"],
            [self.model, f"{RAW}, best batch ({size})", "-", best.text(), "-", "-", "-", "-"],
            *(line.row() for line in self.lines),
        ]


def serving(place: Workplace, seconds: float, rounds: int) -> Outcome:
    """Measure both models; one run, of which every round has one per line, takes `seconds`."""
    small = _compare(place, mlp(), seconds, rounds, tuple(FLOORS))
    large = _compare(place, cnn(), seconds, rounds, ())
    results: list[Mapping[str, object]] = []
    for comparison in (small, large):
        raw = [asdict(rate) for rate in comparison.raw]
        results.append({"model": comparison.model, "server": RAW, "runs": raw})
        results += [asdict(line) for line in comparison.lines]
    return Outcome(
        benchmark="serving",
        settings={"seconds": seconds, "rounds": rounds, "max_batch_size": MAX_BATCH_SIZE},
        results=results,
        header=HEADER,
        rows=[*small.rows(), *large.rows()],
        goals=[goal for connections in CONNECTIONS for goal in _goals(small, large, connections)],
        notes=[],
    )


def _compare(
    place: Workplace, model: BenchmarkModel, seconds: float, rounds: int, floors: Sequence[str]
) -> Comparison:
    raw = RawRuntime(model)
    rates: list[RawRate] = []
    whole_s = max(1, round(seconds))
    with Contestants() as contestants:
        contestants.start(MOSEC, tuned_mosec(place, model))
        contestants.start(NODE, _warm(place.node(model)))
        for kind in floors:
            contestants.start(FLOORS[kind], _warm(place.floor(kind, model)))
        servers = contestants.servers
        found = in_turn(
            {
                (name, connections): partial(_run, server, connections, whole_s)
                for name, server in servers.items()
                for connections in CONNECTIONS
            },
            rounds,
            before_round=lambda: rates.append(raw.measure(min(RAW_S, seconds))),
        )
        lines = [
            Line(model.name, servers[name].name, connections, runs)
            for (name, connections), runs in found.items()
        ]
        lines += [
            Line(model.name, name, connections, [], why)
            for name, why in contestants.missing.items()
            for connections in CONNECTIONS
        ]
    return Comparison(model.name, rates, lines)


def _run(server: Server, connections: int, seconds: int, _round: int) -> ClosedLoop:
    run = closed_loop(server, connections, seconds)
    delete_closed_segments(server)
    return run


@contextmanager
def _warm(starting: AbstractContextManager[Server]) -> Iterator[Server]:
    """Start a server and let it answer for a while. Raises NotMeasuredError without wrk."""
    with starting as server:
        closed_loop(server, max(CONNECTIONS), WARM_UP_S)
        yield server


@contextmanager
def tuned_mosec(place: Workplace, model: BenchmarkModel) -> Iterator[Server]:
    """Run mosec with the batching wait that serves most, over all CONNECTIONS.

    Raises NotMeasuredError without mosec or wrk.
    """
    rates: dict[int, float] = {}
    for wait_ms in MOSEC_WAITS_MS:
        with _warm(place.mosec(model, wait_ms)) as server:
            rates[wait_ms] = math.prod(
                closed_loop(server, connections, TUNING_S).requests_per_s
                for connections in CONNECTIONS
            )
    with _warm(place.mosec(model, max(rates, key=rates.__getitem__))) as server:
        yield server


def _goals(small: Comparison, large: Comparison, connections: int) -> list[Goal]:
    """Return what the node is held to at this number of connections; ratios are paired by round."""
    goals = [
        _against_mosec(small, connections, "requests_per_s", 1.0, at_least=True),
        _against_mosec(small, connections, "p99_ms", 1.0, at_least=False),
        _against_mosec(large, connections, "requests_per_s", 1.0, at_least=True),
        _against_mosec(large, connections, "p99_ms", 1.0, at_least=False),
    ]
    node = large.line(NODE, connections)
    text = f"{large.model}, {connections} connections: requests/s over best of {RAW}"
    best = large.raw_items_per_s()
    ratio = median(paired_ratios(node.figures("requests_per_s"), best)) if node.runs else None
    return [*goals, Goal(text, ratio, 0.93, at_least=True, note=node.missing)]


def _against_mosec(
    comparison: Comparison, connections: int, figure: str, bound: float, *, at_least: bool
) -> Goal:
    node, mosec = (comparison.line(name, connections) for name in (NODE, MOSEC))
    unit = {"requests_per_s": "requests/s", "p99_ms": "p99"}[figure]
    text = f"{comparison.model}, {connections} connections: {unit} over mosec's"
    if not (node.runs and mosec.runs):
        return Goal(text, None, bound, at_least, note=node.missing or mosec.missing)
    ratio = median(paired_ratios(node.figures(figure), mosec.figures(figure)))
    return Goal(text, ratio, bound, at_least)
