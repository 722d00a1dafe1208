"""`python -m collectors forward`: send this machine's spool to a receiver."""

import argparse
import logging
import random
import sys
from contextlib import closing
from pathlib import Path

import msgspec

from collectors.arguments import seconds
from collectors.back_off import BackOff
from collectors.forwarding.forwarder import Forwarder, Round
from collectors.forwarding.receiver_client import ReceiverClient
from collectors.lock import sole_on_spool
from collectors.receiving.bearer_tokens import read_token_file
from collectors.stop_signal import StopSignal

# Slower than the collector behind the receiver, which takes one batch of a boot per round.
INTERVAL_S = 2.0

logger = logging.getLogger(__name__)


class IncompleteError(Exception):
    """Not all could be sent, and trying again was not asked for; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `forward` to `parser`."""
    parser.add_argument("--spool", type=Path, default=Path("data/spool"))
    parser.add_argument("--to", required=True, metavar="URL", help="the receiver's address")
    parser.add_argument("--token-file", type=Path, help="its first line is the token to show")
    parser.add_argument(
        "--interval", type=seconds, default=INTERVAL_S, metavar="SECONDS", help="between batches"
    )
    parser.add_argument(
        "--once", action="store_true", help="send what the spool holds now, then exit"
    )


def run(arguments: argparse.Namespace) -> int:
    """Forward until done or stopped; print what was sent; return the exit code.

    Raises TokenFileError, ReceiverErrors, HeldError, IncompleteError and OSError.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s forwarder: %(message)s"
    )
    token = read_token_file(arguments.token_file)[0] if arguments.token_file else None
    sent = Round()
    with (
        closing(StopSignal()) as stop,
        closing(ReceiverClient(arguments.to, token)) as client,
        sole_on_spool(arguments.spool, "forwarder"),
    ):
        forwarder = Forwarder(arguments.spool, client)
        if not arguments.once:
            stop.listen()
            _follow(forwarder, sent, arguments.interval, stop)
        _finish(forwarder, sent, once=arguments.once)
        summary = {"lines": sent.lines, "bytes": sent.bytes}
        sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
    return 0


def _follow(forwarder: Forwarder, sent: Round, interval_s: float, stop: StopSignal) -> None:
    """Send what comes until `stop`."""
    # Chance, so that many nodes do not come all at once; nobody guesses anything from it.
    back_off = BackOff(random.Random())  # noqa: S311
    while not stop.is_set():
        done = _count(forwarder, sent)
        if done.trouble and not done.lines:
            stop.wait(back_off.next_s())
            continue
        back_off.reset()
        if not done.more:
            stop.wait(interval_s)


def _finish(forwarder: Forwarder, sent: Round, *, once: bool) -> None:
    """Send what is there now. After a stop the spool keeps what does not go."""
    done = Round(more=True)
    while done.more:
        done = _count(forwarder, sent)
    if done.trouble and once:
        raise IncompleteError(f"not all is sent, the spool keeps it: {done.trouble}")


def _count(forwarder: Forwarder, sent: Round) -> Round:
    done = forwarder.forward_round()
    sent.lines += done.lines
    sent.bytes += done.bytes
    return done
