"""Exporters as people run them, served as text: time passes with each scrape, the truth is kept.

Their samples carry timestamps, 15 seconds from one to the next, so that ten minutes pass in some
seconds; what Prometheus keeps of them is as if it had waited. A scrape shows all samples so far, so
that one that comes too late on a busy machine leaves no gap.
"""

import random
import re
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client import Counter as PrometheusCounter

from tests import http_server
from tests.fixtures_usage import usage_record
from tests.unit.inference_node.metering.full_node import FullNode

STEP_MS = 15_000
STEPS = 40
STEPS_PER_SCRAPE = 14

Row = tuple[int, str | None, str | None, int]
"""Minute, model, version, status."""


def minute_us(at_ms: int) -> int:
    """Return the minute of a sample, one on the full minute being the end of that before."""
    return (at_ms - 1) // 60_000 * 60_000_000


class Exporter(ABC):
    """One exporter, whose first scrape is at `begin_ms`.

    `truth` are the requests since then, `worker_us` the time that workers executed.
    """

    def __init__(self, begin_ms: int, seed: int) -> None:
        self.rng = random.Random(seed)
        self.at_ms = begin_ms - STEP_MS
        self.steps = -1
        self.truth: Counter[Row] = Counter()
        self.worker_us = 0
        self._told = b""
        self._lock = threading.Lock()

    def scrape(self) -> bytes:
        """Let time pass, unless it is over, and return the text of now and of before."""
        with self._lock:
            for _ in range(min(STEPS - self.steps, STEPS_PER_SCRAPE)):
                self.steps += 1
                self.at_ms += STEP_MS
                self.work()
                self._told += re.sub(rb"(?m)^([^#\n].*)$", rb"\1 %d" % self.at_ms, self.text())
            return self._told

    def ask(self, count: int, model: str | None, version: str | None, status: int = 200) -> int:
        """Note `count` requests, unless they came before the first scrape; return `count`."""
        if self.steps and count:
            self.truth[minute_us(self.at_ms), model, version, status] += count
        return count

    def execute(self, worker_us: int) -> int:
        """Note that workers executed for so long; return it."""
        if self.steps:
            self.worker_us += worker_us
        return worker_us

    @abstractmethod
    def work(self) -> None:
        """Do what is done in one step."""

    @abstractmethod
    def text(self) -> bytes:
        """Return the metrics, each line without a timestamp."""


class TextExporter(Exporter):
    """Keeps its values by name and labels."""

    def __init__(self, begin_ms: int, seed: int) -> None:
        self.values: dict[str, float] = {}
        super().__init__(begin_ms, seed)

    def add(self, name: str, amount: float, **labels: str) -> None:
        """Let a counter grow."""
        key = self._key(name, labels)
        self.values[key] = self.values.get(key, 0) + amount

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self.values[self._key(name, labels)] = value

    def text(self) -> bytes:
        """Return one line for each."""
        return "".join(f"{key} {value}\n" for key, value in self.values.items()).encode()

    @staticmethod
    def _key(name: str, labels: dict[str, str]) -> str:
        inner = ",".join(f'{label}="{value}"' for label, value in labels.items())
        return f"{name}{{{inner}}}" if inner else name


class Triton(TextExporter):
    """Batches of several requests and items, hits of the cache, failures, and one restart."""

    def work(self) -> None:
        if self.steps == 17:
            self.values.clear()
        for model in ("bert", "resnet"):
            name = {"model": model, "version": "1"}
            batches, requests, items = (self.rng.randint(0, 5), *self.rng.choices(range(1, 4), k=2))
            batch_us = self.rng.randint(500, 9_000)
            executed, hits = batches * requests, self.rng.randint(0, 4)
            self.ask(executed + hits, model, "1")
            self.add("nv_inference_request_success", executed + hits, **name)
            self.add("nv_cache_num_hits_per_model", hits, **name)
            self.add("nv_cache_num_misses_per_model", executed, **name)
            self.add("nv_inference_count", executed * items, **name)
            self.add("nv_inference_exec_count", batches, **name)
            self.execute(batches * batch_us)
            self.add("nv_inference_compute_infer_duration_us", executed * batch_us, **name)
            self.add("nv_inference_queue_duration_us", executed * 50, **name)
            self.add("nv_inference_request_duration_us", executed * (batch_us + 60), **name)
            failed = self.ask(self.rng.randint(0, 1), model, "1", 503)
            self.add("nv_inference_request_failure", failed, reason="REJECTED", **name)
            self.set("nv_inference_pending_request_count", 2, **name)
        for gpu, share in (("GPU-a", 0.5), ("GPU-b", 1.0)):
            self.set("nv_gpu_utilization", share, gpu_uuid=gpu)
            self.set("nv_gpu_memory_used_bytes", 2**30, gpu_uuid=gpu)
            self.set("nv_gpu_power_usage", 60.25, gpu_uuid=gpu)
        self.set("nv_cpu_utilization", 0.125)
        self.set("nv_cpu_memory_used_bytes", 2**31)


class OurNode(Exporter):
    """The metrics of a node of this product, of records of which the cache answered some."""

    def __init__(self, begin_ms: int, seed: int) -> None:
        self.node = FullNode()
        self.item_us = 0
        super().__init__(begin_ms, seed)

    def work(self) -> None:
        for _ in range(self.ask(self.rng.randint(1, 6), "digits", "1")):
            size, compute_us = self.rng.choice(((1, 900), (4, 2_000), (8, 4_000)))
            cached = self.rng.random() < 0.2
            fields: dict[str, Any] = {
                "batch_size": size,
                "compute_us": compute_us,
                "total_us": 4_500,
            }
            if cached:
                fields |= {"batch_size": 0, "compute_us": 0, "cache": "memory", "queue_us": 0}
            else:
                self.execute(compute_us // size)
            self.node.metrics.count(usage_record(**fields))
        if self.ask(int(self.rng.random() < 0.3), "digits", "1", 503):
            self.node.metrics.count(
                usage_record(status=503, error="queue_full", batch_size=0, compute_us=0)
            )

    def text(self) -> bytes:
        return self.node.metrics.expose()[0]


class Vllm(Exporter):
    """The metrics of vllm/v1/metrics/loggers.py, with its buckets."""

    LATENCY = (0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0)

    def __init__(self, begin_ms: int, seed: int) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ("model_name", "engine")
        own: dict[str, Any] = {"registry": self.registry}
        self.running = Gauge("vllm:num_requests_running", "", labels, **own)
        self.waiting = Gauge("vllm:num_requests_waiting", "", labels, **own)
        self.success = PrometheusCounter(
            "vllm:request_success", "", (*labels, "finished_reason"), **own
        )
        self.latency = Histogram(
            "vllm:e2e_request_latency_seconds", "", labels, buckets=self.LATENCY, **own
        )
        self.queue = Histogram("vllm:request_queue_time_seconds", "", labels, **own)
        self.inference = Histogram("vllm:request_inference_time_seconds", "", labels, **own)
        self.prompt = PrometheusCounter("vllm:prompt_tokens", "", labels, **own)
        self.generated = PrometheusCounter("vllm:generation_tokens", "", labels, **own)
        self.seconds: list[float] = []
        super().__init__(begin_ms, seed)

    def work(self) -> None:
        name = ("llama", "0")
        running = self.rng.choice((0, 0, 3, 40))
        self.running.labels(*name).set(running)
        self.waiting.labels(*name).set(running // 2)
        self.execute(STEP_MS * 1000 if running else 0)
        for reason, status, most in (("stop", 200, 4), ("length", 200, 2), ("abort", 499, 1)):
            child = self.success.labels(*name, reason)
            for _ in range(self.ask(self.rng.randint(0, most), "llama", None, status)):
                child.inc()
                seconds = self.rng.choice((0.25, 0.75, 1.25, 7.5))
                self.latency.labels(*name).observe(seconds)
                self.queue.labels(*name).observe(seconds / 8)
                self.inference.labels(*name).observe(seconds * 7 / 8)
                self.prompt.labels(*name).inc(300)
                self.generated.labels(*name).inc(seconds * 100)
                if self.steps:
                    self.seconds.append(seconds)

    def text(self) -> bytes:
        return generate_latest(self.registry)


class Kserve(Exporter):
    """The metrics of python/kserve/kserve/metrics.py: none of a model before its first request."""

    def __init__(self, begin_ms: int, seed: int) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.histograms = {
            step: Histogram(f"request_{step}_seconds", "", ("model_name",), registry=self.registry)
            for step in ("preprocess", "predict", "postprocess")
        }
        super().__init__(begin_ms, seed)

    def work(self) -> None:
        if self.steps < 3:
            return
        for _ in range(self.ask(self.rng.randint(0, 5), "iris", None)):
            predict_us = self.execute(self.rng.choice((15_625, 31_250, 125_000)))
            self.histograms["preprocess"].labels("iris").observe(2**-10)
            self.histograms["predict"].labels("iris").observe(predict_us / 1e6)
            self.histograms["postprocess"].labels("iris").observe(2**-10)

    def text(self) -> bytes:
        return generate_latest(self.registry)


class Knative(TextExporter):
    """The queue proxy of one pod of a revision."""

    BOUNDS = ("5", "20", "100", "+Inf")

    def work(self) -> None:
        for status, most in ((200, 6), (502, 1)):
            name = {
                "configuration_name": "bert", "namespace_name": "shop", "pod_name": "bert-1-x",
                "response_code": str(status), "response_code_class": f"{status // 100}xx",
                "revision_name": "bert-00001", "service_name": "bert",
            }  # fmt: skip
            self.add("revision_request_count", 0, **name)
            for le in self.BOUNDS:
                self.add("revision_request_latencies_bucket", 0, **name, le=le)
            for _ in range(self.ask(self.rng.randint(0, most), "bert", "bert-00001", status)):
                app_ms = self.rng.choice((3, 18, 64))
                self.execute(app_ms * 1000)
                self.add("revision_request_count", 1, **name)
                self.add("revision_app_request_latencies_sum", app_ms, **name)
                self.add("revision_request_latencies_sum", app_ms + 1, **name)
                for le in self.BOUNDS:
                    self.add("revision_request_latencies_bucket", app_ms < float(le), **name, le=le)


class KnativePods(TextExporter):
    """The autoscaler, which has two pods, then three, then none."""

    def work(self) -> None:
        name = {"namespace_name": "shop", "revision_name": "bert-00001"}
        pods = 2 if self.steps < 10 else 3 if self.steps < 30 else 0
        self.set("autoscaler_actual_pods", pods, **name)
        self.set("autoscaler_pending_pods", 1, **name)


class Dcgm(TextExporter):
    """Two GPUs of a host."""

    def work(self) -> None:
        for gpu, share in (("0", 40), ("1", 80)):
            name = {"gpu": gpu, "UUID": f"GPU-{gpu}", "Hostname": "gpu-7", "modelName": "A10G"}
            self.set("DCGM_FI_DEV_GPU_UTIL", share, **name)
            self.set("DCGM_FI_DEV_FB_USED", 1000, **name)
            self.set("DCGM_FI_DEV_POWER_USAGE", 70.5, **name)


class KubeState(TextExporter):
    """A deployment whose second replica gets ready after ten steps."""

    def work(self) -> None:
        name = {"namespace": "shop", "deployment": "resnet"}
        self.set("kube_deployment_status_replicas_ready", 1 if self.steps < 10 else 2, **name)
        self.set("kube_deployment_spec_replicas", 2, **name)


class NodeExporter(TextExporter):
    """Two CPUs, one of them half idle, the other always."""

    def work(self) -> None:
        for cpu, idle in (("0", 7.5), ("1", 15)):
            self.add("node_cpu_seconds_total", idle, cpu=cpu, mode="idle")
            self.add("node_cpu_seconds_total", 15 - idle, cpu=cpu, mode="user")
        self.set("node_memory_MemTotal_bytes", 8e9)
        self.set("node_memory_MemAvailable_bytes", 5e9)


EXPORTERS: dict[str, type[Exporter]] = {
    "triton": Triton,
    "inference_node": OurNode,
    "vllm": Vllm,
    "kserve": Kserve,
    "knative": Knative,
    "knative_pods": KnativePods,
    "dcgm": Dcgm,
    "kube_state": KubeState,
    "node_exporter": NodeExporter,
}


@contextmanager
def serving(exporters: dict[str, Exporter]) -> Iterator[int]:
    """Serve each exporter at its path /NAME; yield the port."""

    class Handler(http_server.QuietHandler):
        def answer(self) -> None:
            text = exporters[self.path.strip("/")].scrape()
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with http_server.serving(Handler) as port:
        yield port


def configuration(port: int, names: list[str]) -> str:
    """Return a configuration of Prometheus that scrapes each exporter in quick succession."""
    jobs = "".join(
        f"""
  - job_name: {name}
    metrics_path: /{name}
    static_configs:
      - targets: ["127.0.0.1:{port}"]
        labels: {{instance: "{name.replace("_", "-")}:8002"}}
"""
        for name in names
    )
    return f"global: {{scrape_interval: 300ms, scrape_timeout: 300ms}}\nscrape_configs:{jobs}"
