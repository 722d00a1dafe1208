"""`run` and `once`: bring the spool into the database, and keep the database small."""

import argparse
import logging
import signal
import sys
import threading
import time
from pathlib import Path

import msgspec

from collectors.lock import CollectorRunningError, sole_collector
from collectors.tailer import Tailer
from collectors.upkeep import add_retention, retention_of
from store import DatabaseBusyError, Retention, StoreError, maintain

logger = logging.getLogger(__name__)

# Each time costs one opening of the file when there is nothing to do.
MAINTENANCE_S = 600.0


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add the options of `run` and of `once`."""
    command.add_argument("--spool", type=Path, default=Path("data/spool"))
    command.add_argument("--database", type=Path, default=Path("data/usage.duckdb"))


def add_run_arguments(command: argparse.ArgumentParser) -> None:
    """Add the options of `run`."""
    add_arguments(command)
    add_retention(command)
    command.add_argument(
        "--interval", type=float, default=1.0, metavar="SECONDS", help="pause between commits"
    )


def run(arguments: argparse.Namespace) -> int:
    """Follow the spool until SIGINT or SIGTERM; return the exit code."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return _collect(arguments, stop)


def once(arguments: argparse.Namespace) -> int:
    """Store what the spool holds now; return the exit code."""
    return _collect(arguments, None)


def _collect(arguments: argparse.Namespace, stop: threading.Event | None) -> int:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s collector: %(message)s"
    )
    try:
        with sole_collector(arguments.database):
            tailer = Tailer(arguments.spool, arguments.database, _now_us)
            if stop is not None:
                _follow(tailer, arguments, stop)
            # A clean stop leaves nothing.
            tailer.collect_all()
            tailer.close()
    except (CollectorRunningError, StoreError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # a collector that follows the spool stops by itself
        return 130
    print(msgspec.json.encode(tailer.collected).decode())
    return 0


def _follow(tailer: Tailer, arguments: argparse.Namespace, stop: threading.Event) -> None:
    retention = retention_of(arguments)
    next_maintenance = time.monotonic() + MAINTENANCE_S
    while not stop.is_set():
        size = 0
        try:
            size = tailer.collect_round()
        except DatabaseBusyError as error:
            logger.warning("%s; the spool keeps the records, trying again", error)
        if tailer.is_behind(size):
            continue
        if time.monotonic() >= next_maintenance:
            next_maintenance = time.monotonic() + MAINTENANCE_S
            _maintain(arguments.database, retention)
        stop.wait(arguments.interval)


def _maintain(database: Path, retention: Retention) -> None:
    try:
        done = maintain(database, retention, now_us=_now_us())
    except (StoreError, OSError) as error:
        logger.warning("%s; nothing was lost, trying again in %g s", error, MAINTENANCE_S)
        return
    if done.archived or done.merged or done.dropped:
        logger.info(
            "archived %d facts, merged %d days, deleted %d facts that were out of date",
            done.archived,
            done.merged,
            done.dropped,
        )


def _now_us() -> int:
    return time.time_ns() // 1000
