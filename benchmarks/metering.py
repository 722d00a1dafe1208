"""What metering costs a request: in this process by itself, and as part of a node under load."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median
from uuid import uuid4

from benchmarks.closed_loop import ClosedLoop, closed_loop
from benchmarks.models import mlp
from benchmarks.report import Goal, Outcome, Spread
from benchmarks.rounds import Contestants, in_turn
from benchmarks.servers import Server, Workplace
from benchmarks.spool_reader import delete_closed_segments
from costs import Catalogue
from inference_node.clock import Clock
from inference_node.metering.meter import Meter
from inference_node.metering.metrics import Metrics
from inference_node.metering.receipt import Receipt
from inference_node.metering.recorder import Recorder
from inference_node.metering.sources import Sources
from inference_node.metering.tracer import Tracer
from inference_node.models.config import ModelConfig
from inference_node.models.repository import Model
from inference_node.models.source import ModelSource
from inference_node.scheduling.job import Execution
from usage import SpoolWriter

REQUESTS = 200_000
FLUSH_S = 0.05
MOST_US = 15.0
CONNECTIONS = 32
WARM_UP_S = 1
WITH, WITHOUT = "node", "node without records"
HEADER = ["what", "CPU us/request", "requests/s"]


@dataclass(frozen=True)
class InProcess:
    """CPU microseconds per request.

    `on_path_us` is what a request waits for, in the event loop's thread; `total_us` includes the
    thread that encodes and writes.
    """

    on_path_us: float
    total_us: float


def metering(place: Workplace, seconds: float, rounds: int) -> Outcome:
    """Measure both ways; one run under load takes `seconds`."""
    spools = (place.folder / f"records-{number}" for number in range(rounds))
    alone = [measure_in_process(spool, REQUESTS) for spool in spools]
    total = [run.total_us for run in alone]
    rows = [
        ["in process: in the way of the request", _spread([r.on_path_us for r in alone]), "-"],
        ["in process: with encoding and writing", _spread(total), "-"],
    ]
    results: list[Mapping[str, object]] = [
        {"what": "in process", "requests": REQUESTS, "runs": [asdict(run) for run in alone]}
    ]
    runs, missing = _under_load(place, max(1, round(seconds)), rounds)
    for name, found in runs.items():
        cpu_us = [run.cpu_us_per_request for run in found]
        rows.append([name, _spread(cpu_us), _spread([run.requests_per_s for run in found], 0)])
        results.append({"what": name, "runs": [asdict(run) for run in found]})
    for name, why in missing.items():
        rows.append([name, f"not measured: {why}", "-"])
        results.append({"what": name, "runs": [], "missing": why})
    if runs.keys() == {WITH, WITHOUT}:
        more = [
            with_.cpu_us_per_request - without.cpu_us_per_request
            for with_, without in zip(runs[WITH], runs[WITHOUT], strict=True)
        ]
        rows.append(["difference of the two nodes", _spread(more), "-"])
    return Outcome(
        benchmark="metering",
        settings={"requests": REQUESTS, "seconds": seconds, "rounds": rounds},
        results=results,
        header=HEADER,
        rows=rows,
        goals=[Goal("CPU us per request, in process, all threads", median(total), MOST_US, False)],
        notes=[],
    )


def measure_in_process(spool: Path, requests: int) -> InProcess:
    """Meter `requests` made-up requests: receipt, record, metrics, encoding, spool."""
    clock = Clock()
    meter = Meter(
        SpoolWriter(spool, "benchmark", str(uuid4())),
        flush_interval_s=FLUSH_S,
        buffer_records=requests,
    )
    metrics = Metrics(Sources(meter=meter, pools={}), Catalogue([]))
    recorder = Recorder(clock, meter, metrics, Tracer(), node_id="benchmark", boot_id=str(uuid4()))
    config = ModelConfig(variant="fp32")
    model = Model("mlp", "1", config, ModelSource(spool, config), [], [], {})
    path_s, total_s = time.thread_time(), time.process_time()
    for number in range(requests):
        arrived_us = clock.now_us()
        receipt = Receipt(arrived_us, "mlp", None)
        receipt.model = model
        receipt.request_bytes = 400
        receipt.input_digest = "0123456789abcdef"
        receipt.execution = Execution(
            {}, "cpu", 0, number // 32, 32, arrived_us, arrived_us + 40, 40, None
        )
        recorder.write(receipt, 200, 140)
    metrics.statistics()
    path_s = time.thread_time() - path_s
    meter.close()
    total_s = time.process_time() - total_s
    if meter.records_dropped:
        raise RuntimeError(f"{meter.records_dropped} records were dropped")
    return InProcess(path_s * 1e6 / requests, total_s * 1e6 / requests)


def _under_load(
    place: Workplace, seconds: int, rounds: int
) -> tuple[dict[str, list[ClosedLoop]], dict[str, str]]:
    model = mlp()
    with Contestants() as contestants:
        contestants.start(WITH, place.node(model))
        module = "benchmarks.peers.unmetered_node"
        contestants.start(WITHOUT, place.node(model, name=WITHOUT, module=module))
        measures = {
            name: partial(_run, server, seconds) for name, server in contestants.servers.items()
        }
        return in_turn(measures, rounds), contestants.missing


def _run(server: Server, seconds: int, _round: int) -> ClosedLoop:
    run = closed_loop(server, CONNECTIONS, seconds)
    delete_closed_segments(server)
    return run


def _spread(values: Sequence[float], digits: int = 1) -> str:
    return Spread.of(values).text(digits)
