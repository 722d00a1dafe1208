"""Node samples: what the machine was and did, interval by interval without gap or overlap."""

import asyncio
from collections.abc import Callable

import psutil

from inference_node.clock import Clock
from inference_node.config import MachineConfig
from inference_node.metering.busy_log import BusyLog
from inference_node.metering.gpu import NOTHING, GpuReading
from usage import NodeSample


class Sampler:
    """Emits a sample at every multiple of the interval, and for the remainders at both ends.

    Boundaries are the nominal instants, not the moments the loop got round to them, so that a
    sample never straddles a minute when the interval divides one. `workers` are those of all pools;
    they are ready from the time the node serves, with or without a model loaded in them.
    """

    def __init__(
        self,
        clock: Clock,
        busy: BusyLog,
        emit: Callable[[NodeSample], None],
        *,
        node_id: str,
        boot_id: str,
        machine: MachineConfig,
        workers: int,
        interval_us: int,
        queue_depth: Callable[[], int],
        records_dropped: Callable[[], int],
        started_us: int,
        gpu: Callable[[], GpuReading] = lambda: NOTHING,
    ) -> None:
        self._clock = clock
        self._busy = busy
        self._emit = emit
        self._node_id = node_id
        self._boot_id = boot_id
        self._machine = machine
        self._workers = workers
        self._interval_us = interval_us
        self._queue_depth = queue_depth
        self._records_dropped = records_dropped
        self._gpu = gpu
        self._process = psutil.Process()
        self._until_us = started_us
        psutil.cpu_percent()  # counts from here on

    def loaded(self) -> None:
        """Emit the time from the start until now, in which the workers were loading."""
        self._sample(self._clock.now_us(), ready=False)

    async def run(self) -> None:
        """Emit samples until cancelled."""
        while True:
            now_us = self._clock.now_us()
            passed_us = now_us - now_us % self._interval_us
            if passed_us > self._until_us:
                self._sample(passed_us)
            next_us = max(passed_us, self._until_us // self._interval_us * self._interval_us)
            await asyncio.sleep((next_us + self._interval_us - now_us) / 1e6)

    def close(self) -> None:
        """Emit the time since the last sample."""
        self._sample(self._clock.now_us())

    def _sample(self, to_us: int, *, ready: bool = True) -> None:
        interval_us = to_us - self._until_us
        if interval_us < 1:
            return
        busy_us = self._busy.take(self._until_us, to_us)
        gpu = self._gpu()
        self._until_us = to_us
        self._emit(
            NodeSample(
                node_id=self._node_id,
                boot_id=self._boot_id,
                sampled_at_us=to_us,
                interval_us=interval_us,
                cloud=self._machine.cloud,
                region=self._machine.region,
                instance_type=self._machine.instance_type,
                purchase_option=self._machine.purchase_option,
                workers_ready=self._workers if ready else 0,
                workers_loading=0 if ready else self._workers,
                busy_us=busy_us,
                cpu_utilization=min(1.0, psutil.cpu_percent() / 100),
                memory_bytes=self._process.memory_info().rss,
                gpu_utilization=gpu.utilization,
                gpu_memory_bytes=gpu.memory_bytes,
                gpu_power_w=gpu.power_w,
                queue_depth=self._queue_depth(),
                records_dropped=self._records_dropped(),
            )
        )
