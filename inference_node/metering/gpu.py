"""What NVIDIA's GPUs of this machine do, as their driver says (NVML)."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pynvml

logger = logging.getLogger(__name__)

# A reading that is older than so many intervals says nothing of now.
FRESH_INTERVALS = 5


@dataclass(frozen=True)
class GpuReading:
    """All GPUs of the machine together: the mean of their utilisation (0..1), the sum of the rest.

    `energy_j` counts from when the driver was loaded. None is what cannot be read.
    """

    utilization: float | None = None
    memory_bytes: int | None = None
    power_w: float | None = None
    energy_j: float | None = None


NOTHING = GpuReading()


class GpuReader:
    """Reads every `interval_s` on a thread of its own: a driver in trouble may not answer at all.

    `nvml` is the module pynvml, or has its functions. Without a driver or a GPU there is nothing
    to read. A GPU that is lost makes everything None until it is back.
    """

    def __init__(self, interval_s: float, nvml: Any = pynvml) -> None:
        self._nvml = nvml
        self._interval_s = interval_s
        self._failing = False
        self._latest = NOTHING
        self._read_at = time.monotonic()
        self._stop = threading.Event()
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            logger.debug("no GPU is sampled: %s", error)
            return
        self._read()
        threading.Thread(target=self._run, name="gpu", daemon=True).start()

    def latest(self) -> GpuReading:
        """Return the last reading, nothing when the driver has not answered for a while."""
        age_s = time.monotonic() - self._read_at
        return self._latest if age_s < FRESH_INTERVALS * self._interval_s else NOTHING

    def close(self) -> None:
        """Read no more; waits for nothing."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            self._read()
        self._latest = NOTHING

    def _read(self) -> None:
        try:
            self._latest = self._reading()
            self._failing = False
        except self._nvml.NVMLError as error:
            self._latest = NOTHING
            if not self._failing:
                logger.warning("the GPU cannot be read, samples go on without it: %s", error)
            self._failing = True
        self._read_at = time.monotonic()

    def _reading(self) -> GpuReading:
        nvml = self._nvml
        # Asked for anew each time: a handle from before a reset of the GPU is of no use.
        gpus = [
            nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())
        ]
        used = self._sum(lambda gpu: nvml.nvmlDeviceGetUtilizationRates(gpu).gpu, gpus)
        memory = self._sum(lambda gpu: nvml.nvmlDeviceGetMemoryInfo(gpu).used, gpus)
        milliwatts = self._sum(nvml.nvmlDeviceGetPowerUsage, gpus)
        millijoules = self._sum(nvml.nvmlDeviceGetTotalEnergyConsumption, gpus)
        return GpuReading(
            utilization=None if used is None else min(1.0, used / 100 / len(gpus)),
            memory_bytes=memory,
            power_w=None if milliwatts is None else milliwatts / 1000,
            energy_j=None if millijoules is None else millijoules / 1000,
        )

    def _sum(self, ask: Callable[[Any], int], gpus: list[Any]) -> int | None:
        """Return the sum over `gpus`, None without any and where one cannot tell, as part of a GPU
        (MIG) or an old one may not."""
        try:
            return sum(int(ask(gpu)) for gpu in gpus) if gpus else None
        except self._nvml.NVMLError_NotSupported:
            return None
