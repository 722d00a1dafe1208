"""`python -m collectors prometheus`: bring what Prometheus servers know into the database."""

import argparse
import logging
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path

import msgspec

from collectors.arguments import seconds
from collectors.commands.options import add_database, now_us
from collectors.lock import sole_holder
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.config import Config, Source, read_config
from collectors.prometheus.follower import TROUBLES, Follower
from collectors.prometheus.puller import Puller
from collectors.prometheus.stop import Stop
from collectors.prometheus.storage import Storage

INTERVAL_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `prometheus` to `parser`."""
    parser.add_argument(
        "--config", type=Path, required=True, help="which servers, and what of them"
    )
    add_database(parser)
    parser.add_argument(
        "--interval", type=seconds, default=INTERVAL_S, metavar="SECONDS", help="between looks"
    )
    parser.add_argument(
        "--once", action="store_true", help="store every minute closed by now, then exit"
    )


def run(arguments: argparse.Namespace) -> int:
    """Pull until done or stopped; print what was stored; return the exit code.

    Raises ConfigError, HeldError, StoreErrors and OSError.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s prometheus: %(message)s"
    )
    config = read_config(arguments.config)
    pullers: list[Puller] = []
    done = True
    try:
        with _opened(config, arguments.database) as pullers:
            if arguments.once:
                done = _pull_all(pullers)
            else:
                _follow(pullers, arguments.interval)
    except KeyboardInterrupt:
        if arguments.once:
            raise
    stored = {
        "minutes": sum(puller.minutes for puller in pullers),
        "samples": sum(puller.samples for puller in pullers),
    }
    sys.stdout.write(msgspec.json.encode(stored).decode() + "\n")
    return 0 if done else 1


@contextmanager
def _opened(config: Config, database: Path) -> Iterator[list[Puller]]:
    """Hold every source of `config`, and yield what pulls them."""
    stop = Stop()
    with ExitStack() as stack:
        for source in config.source:
            stack.enter_context(_sole_puller(database, source.name))
        storage = stack.enter_context(closing(Storage(database, now_us, stop.shield)))
        pullers = []
        for source in config.source:
            client = stack.enter_context(closing(_client(source)))
            pullers.append(Puller(source, client, storage, now_us))
        stop.listen()
        yield pullers


def _sole_puller(database: Path, source: str) -> AbstractContextManager[None]:
    """Hold `source` of `database`, as `sole_holder` does.

    Not the lock of the collector, which may run at the same time: they open the file one after the
    other, and the position of each source keeps its facts from being stored twice.
    """
    path = database.with_name(f"{database.name}.prometheus.{source}.lock")
    return sole_holder(path, f"{database}: another process pulls source {source!r} into it")


def _client(source: Source) -> PrometheusClient:
    return PrometheusClient(
        source.url,
        token_file=Path(source.token_file) if source.token_file else None,
        verify=(source.ca_file or True) if source.tls_verify else False,
        timeout_s=source.timeout_s,
    )


def _pull_all(pullers: Sequence[Puller]) -> bool:
    """Pull every source to its end; tell whether all could be."""
    done = True
    for puller in pullers:
        try:
            while puller.pull():
                pass
        except TROUBLES as error:
            sys.stderr.write(f"{puller.source.name}: {error}\n")
            done = False
    return done


def _follow(pullers: Sequence[Puller], interval_s: float) -> None:
    """Give each source its turn when it is due, until KeyboardInterrupt."""
    # Nobody guesses anything from this chance.
    rng = random.Random()  # noqa: S311
    followers = [Follower(puller, interval_s, time.monotonic, rng) for puller in pullers]
    while True:
        follower = min(followers, key=lambda follower: follower.due_s)
        time.sleep(max(0.0, follower.due_s - time.monotonic()))
        follower.turn()
