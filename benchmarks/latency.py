"""What a server adds to the compute time when it is half busy: open loop, Poisson arrivals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from statistics import median

from benchmarks.models import BenchmarkModel, cnn, mlp
from benchmarks.open_loop import OpenLoop, open_loop, poisson_schedule
from benchmarks.raw_runtime import RawRuntime
from benchmarks.report import Goal, Outcome, Spread
from benchmarks.rounds import Contestants, in_turn
from benchmarks.servers import Server, Workplace
from benchmarks.spool_reader import delete_closed_segments, records_of

# Of what ONNX Runtime alone serves one by one.
LOAD = 0.5
# Half of what a server does with the small model is more than a client in Python can send.
SMALL_MODEL_PER_S = 1000.0
RAW_S = 2.0
WARM_UP_S = 1.0
MOST_ADDED_MS = 1.5
NODE, MOSEC = "node", "mosec"
HEADER = [
    "model", "server", "requests/s", "p50 ms", "p99 ms", "p50 less one raw execution, ms",
    "added p50 ms (client)", "added p50 ms (record)", "sent late p99 ms",
]  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One round of one server, in milliseconds.

    `added_by_client_ms` and `added_by_record_ms` are medians over requests of their latency less
    the compute time on their own usage record, seen by the client and by the record: a node's only.
    """

    p50_ms: float
    p99_ms: float
    lag_p99_ms: float
    failed: int
    added_by_client_ms: float | None
    added_by_record_ms: float | None


@dataclass(frozen=True)
class Line:
    """One server with one model."""

    model: str
    server: str
    rate_per_s: float
    raw_ms: float
    runs: Sequence[Run]
    missing: str = ""

    def added(self, name: str) -> list[float]:
        """Return one of the added latencies of every run that has it."""
        values = (getattr(run, name) for run in self.runs)
        return [value for value in values if value is not None]

    def row(self) -> list[str]:
        """Return it as a row under HEADER."""
        start = [self.model, self.server, f"{self.rate_per_s:.0f}"]
        if not self.runs:
            return [*start, f"not measured: {self.missing}", "-", "-", "-", "-", "-"]
        failed = sum(run.failed for run in self.runs)
        p50 = Spread.of([run.p50_ms for run in self.runs])
        by_client, by_record = (
            Spread.of(values).text(2) if values else "-"
            for values in (self.added("added_by_client_ms"), self.added("added_by_record_ms"))
        )
        return [
            *start,
            p50.text(2) + (f", {failed} failed" if failed else ""),
            Spread.of([run.p99_ms for run in self.runs]).text(2),
            f"{p50.median - self.raw_ms:.2f}",
            by_client,
            by_record,
            f"{median(run.lag_p99_ms for run in self.runs):.2f}",
        ]


def latency(place: Workplace, seconds: float, rounds: int) -> Outcome:
    """Measure both models; one run takes `seconds`."""
    lines = [*_compare(place, cnn(), None, seconds, rounds)]
    lines += _compare(place, mlp(), SMALL_MODEL_PER_S, seconds, rounds)
    results: list[Mapping[str, object]] = [asdict(line) for line in lines]
    return Outcome(
        benchmark="latency",
        settings={"seconds": seconds, "rounds": rounds, "load": LOAD},
        results=results,
        header=HEADER,
        rows=[line.row() for line in lines],
        goals=[goal for line in lines if line.server == NODE for goal in _goals(line)],
        notes=[
            "Latencies run from the instant a request was due. A request may find the worker busy "
            "with another one: that wait is part of what is added."
        ],
    )


def _compare(
    place: Workplace, model: BenchmarkModel, rate_per_s: float | None, seconds: float, rounds: int
) -> list[Line]:
    raw = RawRuntime(model).measure(min(RAW_S, seconds))
    if rate_per_s is None:
        rate_per_s = LOAD * raw.items_per_s[1]
    raw_ms = raw.single_us / 1e3
    with Contestants() as contestants:
        contestants.start(NODE, place.node(model))
        contestants.start(MOSEC, place.mosec(model, 0))
        for server in contestants.servers.values():
            open_loop(server, poisson_schedule(0, rate_per_s, min(WARM_UP_S, seconds)))
        found = in_turn(
            {
                name: partial(_run, server, rate_per_s, seconds)
                for name, server in contestants.servers.items()
            },
            rounds,
        )
        missing = contestants.missing
    lines = [Line(model.name, name, rate_per_s, raw_ms, runs) for name, runs in found.items()]
    return lines + [
        Line(model.name, name, rate_per_s, raw_ms, [], why) for name, why in missing.items()
    ]


def _run(server: Server, rate_per_s: float, seconds: float, round_number: int) -> Run:
    # The schedule of a round is the same for every server.
    load = open_loop(server, poisson_schedule(round_number + 1, rate_per_s, seconds))
    by_client, by_record = (None, None) if server.spool is None else _added(server, load)
    run = Run(
        p50_ms=load.latency_ms(50),
        p99_ms=load.latency_ms(99),
        lag_p99_ms=load.lag_ms(99),
        failed=load.failed,
        added_by_client_ms=by_client,
        added_by_record_ms=by_record,
    )
    delete_closed_segments(server)
    return run


def _added(server: Server, load: OpenLoop) -> tuple[float, float]:
    """Return the medians of latency less compute, by the client's clock and by the records."""
    records = records_of(server, (exchange.record_id for exchange in load.exchanges))
    by_client, by_record = [], []
    for exchange in load.exchanges:
        record = records[exchange.record_id]
        by_client.append(exchange.latency_ms - record.compute_us / 1e3)
        by_record.append((record.total_us - record.compute_us) / 1e3)
    return median(by_client), median(by_record)


def _goals(line: Line) -> list[Goal]:
    goals = []
    for name, text in (("added_by_client_ms", "client"), ("added_by_record_ms", "record")):
        values = line.added(name)
        value = median(values) if values else None
        text = f"{line.model}, {line.rate_per_s:.0f}/s: added ms at p50, by the {text}"
        goals.append(Goal(text, value, MOST_ADDED_MS, at_least=False, note=line.missing))
    return goals
