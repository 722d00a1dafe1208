"""`python -m benchmarks`: measures the node beside its peers, prints a table, writes JSON."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from benchmarks.finance import RECORDS as FINANCE_ROWS
from benchmarks.finance import finance
from benchmarks.freshness import freshness
from benchmarks.history import RECORDS, history
from benchmarks.ingest import ingest
from benchmarks.latency import latency
from benchmarks.machine import this_machine
from benchmarks.memory import memory
from benchmarks.metering import metering
from benchmarks.offline import offline
from benchmarks.report import Outcome, as_text, write_json
from benchmarks.servers import ROOT, NotMeasuredError, Workplace
from benchmarks.serving import serving

Benchmark = Callable[..., Outcome]

# Name, function, seconds of one run, rounds, what it measures.
BENCHMARKS: tuple[tuple[str, Benchmark, float, int, str], ...] = (
    ("serving", serving, 4, 3, "throughput, closed loop, beside mosec, floors and ONNX Runtime"),
    ("latency", latency, 10, 3, "what is added to the compute time at half the capacity"),
    ("offline", offline, 10, 12, "urgent requests beside a saturating offline load"),
    ("memory", memory, 1200, 1, "whether memory stays flat under load"),
    ("metering", metering, 4, 3, "what a usage record and its metrics cost"),
    ("ingest", ingest, 10, 5, "spool to committed and rolled up, beside bare read_json"),
    ("freshness", freshness, 60, 2, "from the spool to a reader's query, with three dashboards"),
    ("history", history, 0, 5, "a hundred million records over ninety days"),
    ("finance", finance, 0, 1, "a finance file of millions of rows"),
)
# How many records, or rows, to make up where that can be chosen.
MADE_UP = {"history": RECORDS, "finance": FINANCE_ROWS}


def main() -> int:
    """Parse the arguments, measure, print, write; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for name, benchmark, seconds, rounds, text in BENCHMARKS:
        command = commands.add_parser(name, help=text, description=text)
        add = command.add_argument
        add("--seconds", type=_above_zero, default=seconds, help="of one run (%(default)s)")
        add("--rounds", type=_rounds, default=rounds, help="runs of each (%(default)s)")
        add("--results", type=Path, default=ROOT / "benchmarks/results", help="where JSON goes")
        if name in MADE_UP:
            add("--records", type=_records, default=MADE_UP[name], help="to make up (%(default)s)")
        add(
            "--peers-python",
            type=Path,
            default=ROOT / ".venv-bench/bin/python",
            help="a Python that has mosec (%(default)s)",
        )
        command.set_defaults(benchmark=benchmark)
    arguments = parser.parse_args()
    # A request to end stops the servers, too.
    signal.signal(signal.SIGTERM, _interrupt)
    date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        place = Workplace(Path(folder), arguments.peers_python)
        machine = this_machine(place.folder, arguments.peers_python)
        try:
            more = {"records": arguments.records} if "records" in arguments else {}
            outcome = arguments.benchmark(place, arguments.seconds, arguments.rounds, **more)
        except NotMeasuredError as error:
            print(f"not measured: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    print(as_text(outcome, machine, date), end="")
    write_json(outcome, machine, date, arguments.results)
    return 0


def _records(text: str) -> int:
    value = int(text)
    if not 1_000 <= value <= 10**9:
        raise argparse.ArgumentTypeError(f"is {text}; accepted: 1000 to 1000000000")
    return value


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value <= 86_400:
        raise argparse.ArgumentTypeError(f"is {text}; accepted: above 0, at most 86400")
    return value


def _rounds(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"is {text}; accepted: 1 to 1000")
    return value


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
