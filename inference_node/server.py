"""A node as a process: from its configuration to the last flushed record."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import uvloop

from inference_node.access.policy import access_policy
from inference_node.access.tokens import Tokens
from inference_node.clock import Clock
from inference_node.config import NodeConfig, load_node_config
from inference_node.errors import StartError
from inference_node.log import Log, configure_logging
from inference_node.models.repository import ModelRepository, load_repository
from inference_node.node import Node

logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def serve(config_file: Path | None, repository: Path, host: str, port: int, spool: Path) -> None:
    """Serve until SIGINT or SIGTERM; port 0 takes a free one, which the first line on stdout names.

    Raises StartError when the configuration, a model or the address cannot be used.
    """
    clock = Clock()
    started_us = clock.now_us()
    config = load_node_config(config_file)
    log = configure_logging(config.logging)
    tokens = access_policy(config.access, host, config_file, clock.now_us)
    models = load_repository(repository, config, config_file, clock)
    listener = _listen(host, port)
    # What is there now stays: the collector of garbage need not look at it again and again.
    gc.collect()
    gc.freeze()
    idle = uvloop.run(_serve(config, models, tokens, listener, spool, clock, started_us, log))
    # It stops already; who is impatient gets no other end.
    sys.unraisablehook = _unless_a_signal
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if not idle:
        # Everything is written. Python's own way out would end under an execution, which aborts.
        logging.shutdown()
        os._exit(0)


async def _serve(
    config: NodeConfig,
    models: ModelRepository,
    tokens: Tokens | None,
    listener: socket.socket,
    spool: Path,
    clock: Clock,
    started_us: int,
    log: Log,
) -> bool:
    """Return whether nothing executes any more."""
    node = Node(config, models, tokens, spool, clock, started_us, log)
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(_number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has stopped
            loop.call_soon_threadsafe(asked_to_stop.set)

    # Not the loop's own handlers: with it they would end before the process does.
    for number in STOP_SIGNALS:
        signal.signal(number, stop)
    node.start()
    host, port = listener.getsockname()[:2]
    try:
        await node.http.listen(listener)
        sys.stdout.write(f"serving on http://{f'[{host}]' if ':' in host else host}:{port}\n")
        sys.stdout.flush()
        await asked_to_stop.wait()
        drain_s = config.serving.drain_seconds
        logger.info("stopping: requests in flight have %g s", drain_s)
        await node.http.stop(drain_s)
    finally:
        complete = await node.close()
        logger.info("stopped; every record is in the spool" if complete else "stopped")
    return node.idle


def _unless_a_signal(raised: "sys.UnraisableHookArgs") -> None:
    """Show what nobody could catch, but for CPython's complaint of a signal that comes in the very
    moment from which on it is to be ignored."""
    if not isinstance(raised.exc_value, OSError):
        sys.__unraisablehook__(raised)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # From here on a client waits where it would have been refused.
        listener.listen(1024)
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        raise StartError(f"cannot listen on {host}:{port}: {error}") from error
    return listener
