"""`run`: follow the spool into the database until stopped, and keep the database small."""

import argparse
import logging
import time
from contextlib import closing
from pathlib import Path

import msgspec

from collectors.arguments import seconds
from collectors.commands.options import (
    add_database,
    add_retention,
    add_spool,
    now_us,
    retention_of,
)
from collectors.lock import sole_collector
from collectors.stop_signal import StopSignal
from collectors.tailer import Tailer
from store import DatabaseBusyError, Retention, StoreError, maintain

logger = logging.getLogger(__name__)

# Each time costs one opening of the file when there is nothing to do.
MAINTENANCE_S = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_spool(parser)
    add_database(parser)
    add_retention(parser)
    parser.add_argument(
        "--interval", type=seconds, default=1.0, metavar="SECONDS", help="pause between commits"
    )


def run(arguments: argparse.Namespace) -> int:
    """Follow until SIGINT or SIGTERM; return the exit code. Raises HeldError and StoreErrors."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s collector: %(message)s"
    )
    retention = retention_of(arguments)
    with closing(StopSignal()) as stop, sole_collector(arguments.database):
        stop.listen()
        tailer = Tailer(arguments.spool, arguments.database, now_us)
        try:
            _follow(tailer, arguments, retention, stop)
            # A clean stop leaves nothing.
            tailer.collect_all()
        finally:
            tailer.close()
        print(msgspec.json.encode(tailer.collected).decode())
    return 0


def _follow(
    tailer: Tailer, arguments: argparse.Namespace, retention: Retention, stop: StopSignal
) -> None:
    next_maintenance = time.monotonic() + MAINTENANCE_S
    while not stop.is_set():
        size = 0
        try:
            size = tailer.collect_round()
            # Also behind a backlog: it may be one that never ends.
            if time.monotonic() >= next_maintenance:
                next_maintenance = time.monotonic() + MAINTENANCE_S
                tailer.settle()
                _maintain(arguments.database, retention)
        except DatabaseBusyError as error:
            logger.warning("%s; the spool keeps the records, trying again", error)
        if not tailer.is_behind(size):
            stop.wait(arguments.interval)


def _maintain(database: Path, retention: Retention) -> None:
    try:
        done = maintain(database, retention, now_us=now_us())
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
