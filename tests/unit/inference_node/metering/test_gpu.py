"""GPUs as their driver describes them, machines without one, and drivers in trouble."""

# ruff: noqa: N802 - NVML's names

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pynvml
import pytest

from inference_node.metering.gpu import NOTHING, GpuReader, GpuReading

PATIENCE_S = 10.0
INTERVAL_S = 0.01


@dataclass
class Gpu:
    """Utilisation in percent, memory in bytes, power in mW, energy in mJ: NVML's units."""

    used: int
    memory: int
    power: int
    energy: int
    unsupported: set[str] = field(default_factory=set)


class FakeNvml:
    """The functions of pynvml that are used, for `gpus`. `error` is raised by all of them."""

    NVMLError = pynvml.NVMLError
    NVMLError_NotSupported = pynvml.NVMLError_NotSupported

    def __init__(self, *gpus: Gpu) -> None:
        self.gpus = list(gpus)
        self.error: Exception | None = None
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()

    def nvmlInit(self) -> None:
        pass

    def nvmlDeviceGetCount(self) -> int:
        self.asked += 1
        assert self.answers.wait(PATIENCE_S)
        if self.error is not None:
            raise self.error
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Gpu:
        return self.gpus[index]

    def nvmlDeviceGetUtilizationRates(self, gpu: Gpu) -> SimpleNamespace:
        return SimpleNamespace(gpu=self._value(gpu, "used"), memory=99)

    def nvmlDeviceGetMemoryInfo(self, gpu: Gpu) -> SimpleNamespace:
        return SimpleNamespace(total=2**40, free=1, used=self._value(gpu, "memory"))

    def nvmlDeviceGetPowerUsage(self, gpu: Gpu) -> int:
        return self._value(gpu, "power")

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu: Gpu) -> int:
        return self._value(gpu, "energy")

    def _value(self, gpu: Gpu, name: str) -> int:
        if name in gpu.unsupported:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        value: int = getattr(gpu, name)
        return value


@contextmanager
def reading(nvml: FakeNvml, interval_s: float = INTERVAL_S) -> Iterator[GpuReader]:
    reader = GpuReader(interval_s, nvml)
    try:
        yield reader
    finally:
        nvml.answers.set()
        reader.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.001)


def wait_for_reads(nvml: FakeNvml, count: int) -> None:
    enough = nvml.asked + count
    until(lambda: nvml.asked > enough)


def test_units_are_ours() -> None:
    with reading(FakeNvml(Gpu(37, 2**30, 71_500, 9_000)), interval_s=60) as gpu:
        assert gpu.latest() == GpuReading(0.37, 2**30, 71.5, 9.0)


def test_several_gpus_are_one_utilisation_on_average_and_the_sum_of_the_rest() -> None:
    gpus = Gpu(100, 5, 300_000, 1_000), Gpu(50, 7, 100_500, 2_000)
    with reading(FakeNvml(*gpus), interval_s=60) as gpu:
        assert gpu.latest() == GpuReading(0.75, 12, 400.5, 3.0)


def test_what_a_gpu_cannot_tell_is_none_and_nothing_else_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nvml = FakeNvml(Gpu(10, 5, 1_000, 1_000), Gpu(10, 5, 1_000, 1_000, {"used", "energy"}))
    with reading(nvml, interval_s=60) as gpu:
        assert gpu.latest() == GpuReading(None, 10, 2.0, None)
    assert caplog.messages == []


def test_a_driver_without_a_gpu_has_nothing_to_tell() -> None:
    with reading(FakeNvml(), interval_s=60) as gpu:
        assert gpu.latest() == NOTHING


def test_it_reads_again_and_again() -> None:
    nvml = FakeNvml(Gpu(10, 5, 1_000, 1_000))
    with reading(nvml) as gpu:
        nvml.gpus[0].used = 90
        until(lambda: gpu.latest().utilization == 0.9)


def test_a_gpu_that_is_lost_is_one_warning_and_none_until_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nvml = FakeNvml(Gpu(10, 5, 1_000, 1_000))
    with reading(nvml) as gpu:
        for _ in range(2):
            caplog.clear()
            nvml.error = pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
            until(lambda: gpu.latest() == NOTHING)
            wait_for_reads(nvml, 3)
            assert len(caplog.messages) == 1
            assert "the GPU cannot be read" in caplog.messages[0]
            nvml.error = None
            until(lambda: gpu.latest() != NOTHING)


def test_a_driver_that_does_not_answer_holds_nobody_up_and_its_last_answer_grows_old() -> None:
    nvml = FakeNvml(Gpu(10, 5, 1_000, 1_000))
    with reading(nvml) as gpu:
        nvml.answers.clear()
        until(lambda: gpu.latest() == NOTHING)
        nvml.answers.set()
        until(lambda: gpu.latest() != NOTHING)


def test_nothing_is_read_after_the_end() -> None:
    nvml = FakeNvml(Gpu(10, 5, 1_000, 1_000))
    with reading(nvml) as gpu:
        pass
    until(lambda: all(thread.name != "gpu" for thread in threading.enumerate()))
    assert gpu.latest() == NOTHING


def test_a_machine_without_a_driver_is_one_line_for_who_asks_for_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        with caplog.at_level("DEBUG"):
            gpu = GpuReader(INTERVAL_S)
        [record] = caplog.records
        assert record.levelname == "DEBUG"
        assert record.message.startswith("no GPU is sampled: ")
        assert gpu.latest() == NOTHING
        gpu.close()
    else:
        pytest.skip("this machine has a driver")
