"""All parts of a node, wired together."""

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path

from uuid_utils import uuid7

from inference_node.access.tokens import Tokens
from inference_node.app import App
from inference_node.cache.tiers import open_cache
from inference_node.clock import Clock
from inference_node.config import NodeConfig
from inference_node.description import Description
from inference_node.execution import Executor
from inference_node.http.server import HttpServer, Limits
from inference_node.inference import Inference
from inference_node.jobs import Jobs
from inference_node.log import Log
from inference_node.metering.busy_log import BusyLog
from inference_node.metering.cost_gauge import PRICE_FOLDER, read_prices
from inference_node.metering.gpu import GpuReader
from inference_node.metering.meter import Meter
from inference_node.metering.metrics import Metrics
from inference_node.metering.recorder import Recorder
from inference_node.metering.sampler import Sampler
from inference_node.metering.sources import Sources
from inference_node.metering.tracer import Tracer
from inference_node.model_control import ModelControl
from inference_node.model_routing import ModelRouting
from inference_node.models.autoscaler import Autoscaler
from inference_node.models.repository import Model, ModelRepository
from inference_node.models.session import UsedDevice
from inference_node.models.session_pool import SessionPool
from inference_node.scheduling.backlog import Backlog
from inference_node.scheduling.pool import Pool
from inference_node.scheduling.pools import Pools
from inference_node.server_control import ServerControl
from inference_node.shadows import Shadows
from inference_node.shared_memory import SharedMemory
from usage import NodeSample, SpoolWriter

logger = logging.getLogger(__name__)

# A stopping node waits so long for those that were cut off to write their records.
LAST_RECORDS_S = 2.0


class Node:
    """Made within a running event loop; data flow from `http` to `app` and down to `meter`.

    `started_us` is when the node began to load: its machine has cost money since.
    """

    def __init__(
        self,
        config: NodeConfig,
        models: ModelRepository,
        tokens: Tokens | None,
        spool: Path,
        clock: Clock,
        started_us: int,
        log: Log,
    ) -> None:
        serving, metering, access = config.serving, config.metering, config.access
        node_id, boot_id = config.node_id, str(uuid7())
        self.models = models
        self.meter = Meter(
            SpoolWriter(spool, node_id, boot_id, fsync=metering.fsync),
            flush_interval_s=metering.flush_interval_milliseconds / 1000,
            buffer_records=metering.buffer_records,
        )
        self._gpu = GpuReader(metering.sample_interval_seconds)
        busy = BusyLog(clock)
        backlog = Backlog(serving.max_queue_size)
        self.pools = _pools(config, models.devices, clock, busy, backlog)
        self._cache = open_cache(config.cache, clock)
        executor = Executor(self.pools, self._cache)
        self.metrics = Metrics(
            Sources(
                meter=self.meter,
                pools=self.pools.by_name,
                sessions=lambda: _sessions(models),
                open_connections=lambda: self.http.connections,
                requests_in_progress=lambda: self.app.in_progress,
                shadows_skipped=lambda: self._shadows.skipped,
                gpu=self._gpu.latest,
                cache=self._cache.state,
            ),
            read_prices(PRICE_FOLDER),
        )
        tracer = Tracer()
        recorder = Recorder(
            clock, self.meter, self.metrics, tracer, node_id=node_id, boot_id=boot_id
        )
        self._memory = SharedMemory(
            # Who is let in by something in front of the node may be on another machine.
            allowed=access.shared_memory and not access.allow_anonymous,
            max_tensor_bytes=serving.max_body_bytes,
        )
        self._shadows = Shadows(executor, recorder)
        inference = Inference(
            executor,
            self._shadows,
            recorder,
            clock,
            self._memory,
            max_body_bytes=serving.max_body_bytes,
            max_image_pixels=serving.max_image_pixels,
        )
        self._jobs = Jobs(
            inference,
            recorder,
            clock,
            lines_in_flight=serving.max_job_lines_in_flight,
            max_line_bytes=serving.max_body_bytes,
            idle_worker=backlog.idle_workers.wait,
        )
        self.app = App(
            ModelRouting(models, config),
            inference,
            self._jobs,
            Description(models, self.metrics, config, lambda: self.http.accepting),
            ModelControl(models),
            ServerControl(models, tracer, log, self._memory),
            recorder,
            clock,
            tokens,
            serving,
        )
        self.http = HttpServer(
            self.app.handle,
            Limits(
                serving.max_connections,
                serving.head_timeout_seconds,
                serving.body_timeout_seconds,
                serving.keep_alive_seconds,
            ),
        )
        self._sampler = Sampler(
            clock,
            busy,
            self._take_sample,
            node_id=node_id,
            boot_id=boot_id,
            machine=config.machine,
            workers=self.pools.workers,
            interval_us=round(metering.sample_interval_seconds * 1_000_000),
            queue_depth=lambda: self.pools.waiting,
            records_dropped=lambda: self.meter.records_dropped,
            started_us=started_us,
            gpu=self._gpu.latest,
        )
        self._autoscaler = Autoscaler(_sessions(models).values(), clock)
        self.idle = False  # once closed: nothing executes any more
        self._running: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to sample and to scale: from here on the node is ready."""
        self._sampler.loaded()
        self._running = [
            asyncio.create_task(self._sampler.run()),
            asyncio.create_task(self._autoscaler.run()),
        ]

    async def close(self) -> bool:
        """Give up what waits, execute what is begun, write every record; return whether all that
        were made since the start are in the spool."""
        for task in self._running:
            task.cancel()
        await self._shadows.close()
        await self._jobs.close()
        for sessions in _sessions(self.models).values():
            sessions.close()
        self.idle = self.pools.close()
        # Who was cut off a moment ago still has its record to write.
        deadline = time.monotonic() + LAST_RECORDS_S
        while self.app.in_progress and time.monotonic() < deadline:
            await asyncio.sleep(0)
        self._memory.unregister_all()
        await self._cache.close()
        self._gpu.close()
        self._sampler.close()
        return await asyncio.to_thread(self.meter.close)

    def _take_sample(self, sample: NodeSample) -> None:
        self.meter.add(sample)
        self.metrics.sample(sample)


def _pools(
    config: NodeConfig,
    devices: Mapping[str, UsedDevice],
    clock: Clock,
    busy: BusyLog,
    backlog: Backlog,
) -> Pools:
    pools: dict[str, Pool] = {}
    first_worker = 0
    for name, about in config.pools.items():

        def sessions_of(model: Model, name: str = name) -> SessionPool:
            return model.sessions[name]

        pools[name] = Pool(
            clock,
            busy,
            backlog,
            sessions_of,
            device=devices[name],
            workers=about.workers,
            first_worker=first_worker,
        )
        first_worker += about.workers
    return Pools(pools, config.rules)


def _sessions(models: ModelRepository) -> Mapping[tuple[str, str, str], SessionPool]:
    return {
        (model.name, model.version, name): sessions
        for model in models.models()
        for name, sessions in model.sessions.items()
    }
