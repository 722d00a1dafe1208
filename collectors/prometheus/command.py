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

from collectors.lock import HeldError, sole_holder
from collectors.prometheus.bearer_token import warn_if_open
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.config import Config, ConfigError, Source, read_config
from collectors.prometheus.follower import TROUBLES, Follower
from collectors.prometheus.puller import Puller
from collectors.prometheus.stop import Stop
from collectors.prometheus.storage import Storage
from store import StoreError

INTERVAL_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `prometheus` to `parser`."""
    parser.add_argument(
        "--config", type=Path, required=True, help="which servers, and what of them"
    )
    parser.add_argument("--database", type=Path, default=Path("data/usage.duckdb"))
    parser.add_argument(
        "--interval", type=float, default=INTERVAL_S, metavar="SECONDS", help="between looks"
    )
    parser.add_argument(
        "--once", action="store_true", help="store every minute closed by now, then exit"
    )


def run(arguments: argparse.Namespace) -> int:
    """Pull until done or stopped; print what was stored; return the exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s prometheus: %(message)s"
    )
    pullers: list[Puller] = []
    failed = False
    try:
        config = read_config(arguments.config)
        with _opened(config, arguments.database) as pullers:
            if arguments.once:
                failed = not _pull_all(pullers)
            else:
                _follow(pullers, arguments.interval)
    except (ConfigError, HeldError, StoreError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        if arguments.once:
            return 130
    stored = {
        "minutes": sum(puller.minutes for puller in pullers),
        "samples": sum(puller.samples for puller in pullers),
    }
    sys.stdout.write(msgspec.json.encode(stored).decode() + "\n")
    return int(failed)


@contextmanager
def _opened(config: Config, database: Path) -> Iterator[list[Puller]]:
    """Hold every source of `config`, and yield what pulls them."""
    stop = Stop()
    with ExitStack() as stack:
        for source in config.source:
            stack.enter_context(_sole_puller(database, source.name))
        storage = Storage(database, _now_us, stop.shield)
        stack.enter_context(closing(storage))
        pullers = []
        for source in config.source:
            client = stack.enter_context(closing(_client(source)))
            pullers.append(Puller(source, client, storage, _now_us))
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
    token_file = Path(source.token_file) if source.token_file else None
    if token_file:
        warn_if_open(token_file)
    return PrometheusClient(
        source.url,
        token_file=token_file,
        verify=(source.ca_file or True) if source.tls_verify else False,
        timeout_s=source.timeout_s,
    )


def _pull_all(pullers: Sequence[Puller]) -> bool:
    """Pull every source to its end; tell whether all could be."""
    done = True
    for puller in pullers:
        try:
            puller.begin_round()
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


def _now_us() -> int:
    return time.time_ns() // 1000
