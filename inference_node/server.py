"""A node from configuration to the last flushed record: start, serve, drain, stop."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn
import uvloop
from uuid_utils import uuid7

from inference_node.app import App
from inference_node.clock import Clock
from inference_node.config import NodeConfig, load_node_config
from inference_node.errors import StartError
from inference_node.http.connection import Connection
from inference_node.inference import Inference
from inference_node.metering.busy_log import BusyLog
from inference_node.metering.meter import Meter
from inference_node.metering.metrics import Metrics
from inference_node.metering.sampler import Sampler
from inference_node.models.repository import ModelRepository, load_repository
from inference_node.models.warm_up import warm_up
from inference_node.scheduling.batcher import Batcher
from usage import SpoolWriter

logger = logging.getLogger(__name__)

# In-flight requests get this long to finish after a stop was asked for.
DRAIN_S = 10


def serve(config_file: Path | None, repository: Path, host: str, port: int, spool: Path) -> None:
    """Serve until SIGINT or SIGTERM; port 0 takes a free one, which the first line on stdout names.

    Raises StartError when the configuration, a model or the address cannot be used.
    """
    clock = Clock()
    started_us = clock.now_us()
    config = load_node_config(config_file)
    models = load_repository(repository, config, config_file)
    listener = _listen(host, port)
    for model in models.models():
        warm_up(model)
    uvloop.run(_serve(config, models, listener, spool, clock, started_us))


async def _serve(
    config: NodeConfig,
    models: ModelRepository,
    listener: socket.socket,
    spool: Path,
    clock: Clock,
    started_us: int,
) -> None:
    boot_id = str(uuid7())
    metering, serving = config.metering, config.serving
    meter = Meter(
        SpoolWriter(spool, config.node_id, boot_id, fsync=metering.fsync),
        flush_interval_s=metering.flush_interval_milliseconds / 1000,
        buffer_records=metering.buffer_records,
    )
    busy = BusyLog(clock)
    batcher = Batcher(clock, busy, workers=serving.workers, max_queue_size=serving.max_queue_size)
    sampler = Sampler(
        clock,
        busy,
        meter.add,
        node_id=config.node_id,
        boot_id=boot_id,
        machine=config.machine,
        workers=serving.workers,
        interval_us=round(metering.sample_interval_seconds * 1_000_000),
        queue_depth=lambda: batcher.waiting,
        records_dropped=lambda: meter.records_dropped,
        started_us=started_us,
    )
    metrics = Metrics(batcher, meter)
    inference = Inference(batcher, clock, max_image_pixels=serving.max_image_pixels)
    app = App(
        models,
        inference,
        meter,
        metrics,
        clock,
        node_id=config.node_id,
        boot_id=boot_id,
        max_body_bytes=serving.max_body_bytes,
    )
    server = _Server(
        uvicorn.Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=DRAIN_S,
        )
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    sampler.loaded()
    sampling = loop.create_task(sampler.run())
    app.ready = True
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"serving on http://{f'[{host}]' if ':' in host else host}:{port}\n")
    sys.stdout.flush()
    try:
        await server.serve(sockets=[listener])
        await server.cancelled()
    finally:
        sampling.cancel()
        batcher.close()
        sampler.close()
        await asyncio.to_thread(meter.close)
        logger.info("stopped; every record is in the spool")


class _Server(uvicorn.Server):
    """uvicorn without signal handling of its own: it would raise the signal again at the end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Accept no more connections and leave when the open requests are answered."""
        self.should_exit = True

    async def cancelled(self) -> None:
        """Wait for the requests that were still open when time was up: they leave records, too."""
        if self.server_state.tasks:
            await asyncio.wait(list(self.server_state.tasks))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # From here on a client waits where it would have been refused.
        listener.listen()
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        raise StartError(f"cannot listen on {host}:{port}: {error}") from error
    return listener
