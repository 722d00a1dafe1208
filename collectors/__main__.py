"""`python -m collectors run|once`: bring the spool into the database."""

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
from store import DatabaseBusyError, StoreError


def main() -> int:
    """Parse the arguments, run until done or stopped, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m collectors", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="follow the spool until stopped")
    once = commands.add_parser("once", help="store what the spool holds now, then exit")
    for command in (run, once):
        command.add_argument("--spool", type=Path, default=Path("data/spool"))
        command.add_argument("--database", type=Path, default=Path("data/usage.duckdb"))
    run.add_argument(
        "--interval", type=float, default=1.0, metavar="SECONDS", help="pause between commits"
    )
    arguments = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s collector: %(message)s"
    )
    try:
        with sole_collector(arguments.database):
            tailer = Tailer(arguments.spool, arguments.database, _now_us)
            if arguments.command == "once":
                tailer.collect_all()
            else:
                _follow(tailer, arguments.interval)
    except (CollectorRunningError, StoreError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # a collector that follows the spool stops by itself
        return 130
    print(msgspec.json.encode(tailer.collected).decode())
    return 0


def _follow(tailer: Tailer, interval_s: float) -> None:
    """Collect until SIGINT or SIGTERM, then once more, so that a clean stop leaves nothing."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        size = 0
        try:
            size = tailer.collect_round()
        except DatabaseBusyError as error:
            logging.warning("%s; the spool keeps the records, trying again", error)
        if not tailer.is_behind(size):
            stop.wait(interval_s)
    tailer.collect_all()


def _now_us() -> int:
    return time.time_ns() // 1000


if __name__ == "__main__":
    sys.exit(main())
