"""The whole product on this machine: `make demo` to look at it, `make smoke` to prove it works.

Starts a node, a collector, the dashboard and a replay of real digit images to the node. `demo`
runs until Ctrl-C on `data/usage.duckdb`; `smoke` runs for a while on `data/smoke/`, stops
everything, and prints one line of JSON.
"""

import argparse
import json
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from deploy.ports import await_dashboard, free_port, http_status
from deploy.processes import Child, ChildError

ROOT = Path(__file__).resolve().parent.parent
START_S = 60.0


class Interrupted(BaseException):
    """Ctrl-C, or a request to end: not an error."""


@dataclass(frozen=True)
class Place:
    """Where one run keeps its data."""

    spool: Path
    database: Path
    logs: Path


@dataclass
class Product:
    """The running processes, and where to find the two that serve."""

    node: Child
    collector: Child
    dashboard: Child
    replay: Child
    node_url: str
    dashboard_url: str

    def children(self) -> list[Child]:
        """Return all processes, in the order in which stopping them loses nothing."""
        return [self.replay, self.node, self.collector, self.dashboard]


@contextmanager
def running(
    place: Place, replay: list[str], node_port: int, dashboard_port: int
) -> Iterator[Product]:
    """Start everything, hand it over once it serves, stop everything."""
    started: list[Child] = []

    def start(name: str, *arguments: str) -> Child:
        child = Child(name, list(arguments), place.logs, ROOT)
        started.append(child)
        return child

    try:
        node = start(
            "node", "-m", "inference_node", "serve",
            "--model-repository", "data/models",
            "--config", "deploy/demo_node.toml",
            "--host", "127.0.0.1",
            "--port", str(free_port(node_port)),
            "--spool", str(place.spool),
        )  # fmt: skip
        collector = start(
            "collector", "-m", "collectors", "run",
            "--spool", str(place.spool),
            "--database", str(place.database),
        )  # fmt: skip
        port = free_port(dashboard_port)
        dashboard = start(
            "dashboard", "-m", "streamlit", "run", "dashboard/app.py",
            "--server.port", str(port),
            "--server.address", "127.0.0.1",
            "--server.headless", "true",
            "--", "--database", str(place.database),
        )  # fmt: skip
        node_url = node.first_line(START_S).removeprefix("serving on ")
        dashboard_url = f"http://127.0.0.1:{port}"
        await_dashboard(dashboard, dashboard_url, START_S)
        client = start(
            "replay", "-m", "inference_node", "replay", "--url", node_url, "--json", *replay
        )
        yield Product(node, collector, dashboard, client, node_url, dashboard_url)
    finally:
        for child in started:
            child.stop(signal.SIGTERM)


def demo(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C, or until one of the processes ends by itself."""
    data: Path = arguments.data.resolve()
    place = Place(data / "spool", data / "usage.duckdb", data / "demo/logs")
    replay = ["--arrivals", "data/samples/arrivals.csv", "--repeat"]
    try:
        if arguments.history:
            _make_history(place)
        print(
            "starting: a node, a collector, the dashboard and a replay of real images", flush=True
        )
        with running(place, replay, 8000, 8501) as product:
            print(f"\n  dashboard  {product.dashboard_url}")
            print(f"  node       {product.node_url}")
            print(
                f"  logs       {_short(place.logs)}\n\nCtrl-C stops everything",
                flush=True,
            )
            while True:
                for child in product.children():
                    child.require_running()
                time.sleep(0.5)
    except Interrupted:
        print("stopped", flush=True)
        return 0


def smoke(arguments: argparse.Namespace) -> int:
    """Run for `--seconds` of load, stop, print the figures; 0 when every request is stored."""
    folder = ROOT / "data/smoke"
    shutil.rmtree(folder, ignore_errors=True)
    place = Place(folder / "spool", folder / "usage.duckdb", folder / "logs")
    replay = [
        "--process", "poisson", "--rate", str(arguments.rate),
        "--duration", str(arguments.seconds), "--seed", "1",
    ]  # fmt: skip
    with running(place, replay, 0, 0) as product:
        while product.replay.running():
            for child in (product.node, product.collector, product.dashboard):
                child.require_running()
            time.sleep(0.2)
        sent = json.loads(product.replay.output() or "{}").get("requests_sent", 0)
        status = http_status(product.dashboard_url)
        product.node.stop()
        product.collector.stop()
    report = Child(
        "report", ["-m", "reports", "overview", "--database", str(place.database)], place.logs, ROOT
    )
    if report.wait() != 0:
        report.require_running()
    stored = json.loads(report.output())
    result = {
        "requests_sent": sent,
        "records_stored": stored["records_stored"],
        "records_rejected": stored["records_rejected"],
        "p50_ms": stored.get("p50_ms"),
        "p99_ms": stored.get("p99_ms"),
        "cost_usd": stored.get("cost_usd"),
        "idle_usd": stored.get("idle_usd"),
        "dashboard_http_status": status,
    }
    print(json.dumps(result), flush=True)
    complete = 0 < sent == stored["records_stored"] and stored["records_rejected"] == 0
    return 0 if complete and status == 200 else 1


def _make_history(place: Place) -> None:
    """Let the database have its simulated weeks; says how far that is. Raises ChildError."""
    words = "simulated history of the last weeks, marked as such"
    child = Child(
        "history", ["-m", "deploy.history", "--database", str(place.database)], place.logs, ROOT
    )
    try:
        while child.running():
            _say_progress(words, child.output())
            time.sleep(0.2)
        if child.wait() != 0:
            child.require_running()
    finally:
        child.stop()
        _say_progress(words, child.output(), end="\n")


def _say_progress(words: str, output: str, *, end: str = "") -> None:
    """Show the last line of `output`, over the one before; without a terminal the end alone."""
    reached = output.split()[-1:]
    if reached and (end or sys.stdout.isatty()):
        print(f"\r{words}: {reached[0]}", end=end, flush=True)


def _short(path: Path) -> Path:
    """Return `path` from the project's folder on, where it lies there."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _interrupt(_: int, __: FrameType | None) -> None:
    # The second Ctrl-C of an impatient person must not cut the stopping short.
    for same in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(same, signal.SIG_IGN)
    raise Interrupted


def main() -> int:
    """Parse the arguments, run, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    long = commands.add_parser("demo")
    long.add_argument(
        "--no-history",
        dest="history",
        action="store_false",
        help="leave out the simulated weeks before now",
    )
    long.add_argument(
        "--data", type=Path, default=ROOT / "data", metavar="DIR", help="default: %(default)s"
    )
    long.set_defaults(run=demo)
    short = commands.add_parser("smoke")
    short.add_argument("--seconds", type=float, default=30.0)
    short.add_argument("--rate", type=float, default=50.0, help="requests per second")
    short.set_defaults(run=smoke)
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return int(arguments.run(arguments))
    except Interrupted:
        return 130
    except ChildError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
