"""What the machine does: its CPU by the node's latest sample, its GPUs by their latest reading."""

from collections.abc import Callable, Iterator

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    UnknownMetricFamily,
)
from prometheus_client.registry import Collector

from inference_node.metering.gpu import GpuReading
from usage import NodeSample


class DeviceMetrics(Collector):
    """CPU and GPU metrics; those that cannot be read, as without a GPU, are absent."""

    def __init__(self, gpu: Callable[[], GpuReading]) -> None:
        self._gpu = gpu
        self._sample: NodeSample | None = None

    def sample(self, sample: NodeSample) -> None:
        """Keep what `sample` says."""
        self._sample = sample

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        if self._sample is not None:
            yield GaugeMetricFamily(
                "cpu_utilization_ratio",
                "Share of the machine's CPU time in use, by all processes",
                value=self._sample.cpu_utilization,
            )
        gpu = self._gpu()
        if gpu.utilization is not None:
            text = "Share of time in which the GPUs executed, their mean"
            yield GaugeMetricFamily(
                "gpu_utilization_percent", f"{text}, 0 to 100", value=gpu.utilization * 100
            )
            yield GaugeMetricFamily("nv_gpu_utilization", f"{text}, 0 to 1", value=gpu.utilization)
        if gpu.memory_bytes is not None:
            for name in ("gpu_memory_used_bytes", "nv_gpu_memory_used_bytes"):
                yield GaugeMetricFamily(name, "Memory of the GPUs in use", value=gpu.memory_bytes)
        if gpu.power_w is not None:
            for name in ("gpu_power_watts", "nv_gpu_power_usage"):
                yield GaugeMetricFamily(name, "Power that the GPUs draw, watts", value=gpu.power_w)
        if gpu.energy_j is not None:
            text = "Energy that the GPUs took since their driver was loaded, joules"
            yield CounterMetricFamily("gpu_energy_joules", text, value=gpu.energy_j)
            yield UnknownMetricFamily("nv_energy_consumption", text, value=gpu.energy_j)
