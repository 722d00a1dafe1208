"""`python -m collectors receive`: take the spools of nodes on other machines over HTTP."""

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from collectors.arguments import whole
from collectors.lock import sole_on_spool
from collectors.receiving.bearer_tokens import BearerTokens, read_token_file
from collectors.receiving.inbox import Inbox
from usage.spool import LONGEST_LINE_BYTES

if TYPE_CHECKING:
    from collectors.receiving.receiver import Receiver

PORT = 8600
# For requests in flight when the receiver is told to stop; then for files in the writing.
STOP_S = 30.0
CANCEL_S = 5.0
MOST_LIMIT_BYTES = 2**40


class ListenError(Exception):
    """The receiver cannot or must not answer at this address; the message says why."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `receive` to `parser`."""
    parser.add_argument("--spool", type=Path, default=Path("data/spool"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=whole(0, 65_535), default=PORT, help="0: any that is free")
    parser.add_argument(
        "--token-file", type=Path, help="a token per line; without it only this machine may send"
    )
    parser.add_argument(
        "--limit-bytes",
        type=whole(LONGEST_LINE_BYTES, MOST_LIMIT_BYTES),
        default=64 * 2**20,
        help="of one body, unpacked",
    )


def run(arguments: argparse.Namespace) -> int:
    """Receive until SIGINT or SIGTERM; return the exit code.

    Raises TokenFileError, ListenError, HeldError and OSError.
    """
    # aiohttp takes 0.2 s, for which the other commands need not wait.
    from collectors.receiving.receiver import Receiver

    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s receiver: %(message)s"
    )
    tokens = None
    if arguments.token_file is not None:
        tokens = BearerTokens(read_token_file(arguments.token_file))
    else:
        _require_loopback(arguments.host)
    with sole_on_spool(arguments.spool, "receiver"):
        receiver = Receiver(Inbox(arguments.spool), tokens, limit_bytes=arguments.limit_bytes)
        asyncio.run(_serve(receiver, arguments.host, arguments.port))
    return 0


async def _serve(receiver: "Receiver", host: str, port: int) -> None:
    from aiohttp import web

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(
        receiver.application(), access_log=None, auto_decompress=False, shutdown_timeout=CANCEL_S
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        sys.stdout.write(f"receiving on {_url(*runner.addresses[0][:2])}\n")
        sys.stdout.flush()
        await stop.wait()
        # The clean-up reads no more of bodies that are still on their way.
        await site.stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(receiver.until_idle(), STOP_S)
    except (OSError, OverflowError, UnicodeError) as error:
        raise ListenError(f"--host {host} --port {port}: {error}") from error
    finally:
        await runner.cleanup()


def _require_loopback(host: str) -> None:
    """Raise ListenError unless only this machine can reach `host`."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM) if host else []
    except (OSError, UnicodeError) as error:
        words = getattr(error, "strerror", error)
        raise ListenError(f"--host {host}: {words}") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(address.is_loopback for address in addresses):
        raise ListenError(
            f"--host is {host!r} and there is no --token-file: everybody who reaches this machine "
            "could send; accepted without tokens: 127.0.0.1, ::1 or localhost"
        )


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
