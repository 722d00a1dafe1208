"""The presets: what people already run, in this product's terms. Names as of these sources:

- inference_node: docs/metrics.md
- triton: docs/user_guide/metrics.md of triton-inference-server/server; how its counters grow is in
  src/infer_stats.cc of triton-inference-server/core: all durations once per request, however many
  items it has, and with the time of its whole batch; `exec_count` once per batch
- vllm: vllm/v1/metrics/loggers.py of vllm-project/vllm; prometheus_client appends `_total`
- kserve: python/kserve/kserve/metrics.py of kserve/kserve
- knative: knative.dev/docs, "Service metrics" and "Serving metrics", up to version 1.18
- dcgm: etc/default-counters.csv of NVIDIA/dcgm-exporter
- kube_state: docs/metrics/workload/deployment-metrics.md of kubernetes/kube-state-metrics
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from collectors.prometheus.preset import (
    CACHE_OUTCOMES,
    MICROSECONDS,
    MILLISECONDS,
    PARTS,
    SECONDS,
    SUCCEEDED,
    Counter,
    Gauge,
    Histogram,
    Outcome,
    Preset,
)

PERCENT = Decimal("0.01")
MEBIBYTES = 2**20
RESIDENT: Final = "process_resident_memory_bytes"

INFERENCE_NODE = Preset(
    "inference_node",
    gauges=(
        Gauge("inference_workers_ready", "workers_ready"),
        Gauge("inference_queue_depth", "queue_depth"),
        Gauge("cpu_utilization_ratio", "cpu_utilization", over="mean"),
        Gauge(RESIDENT, "memory_bytes", marks=False),
        Gauge("gpu_utilization_percent", "gpu_utilization", PERCENT, over="mean"),
        Gauge("gpu_memory_used_bytes", "gpu_memory_bytes"),
        Gauge("gpu_power_watts", "gpu_power_w"),
    ),
    counters=(
        Counter(
            "inference_requests_total",
            "requests",
            outcome=Outcome("status", error_label="error"),
        ),
        Counter("inference_items_total", "items"),
        Counter("request_latency_seconds_sum", "total_us", SECONDS),
        Counter("inference_queue_seconds_sum", "queue_us", SECONDS),
        Counter("inference_compute_seconds_sum", "compute_us", SECONDS),
        Counter("inference_compute_seconds_sum", "batch_us", SECONDS),
        Counter("inference_compute_seconds_count", "executed"),
        # A batch is counted in parts, with each of its requests.
        Counter("inference_executions_total", "executions", PARTS),
        Counter("inference_worker_busy_seconds_total", "busy_us", SECONDS),
        Counter("inference_request_bytes_total", "request_bytes"),
        Counter("inference_response_bytes_total", "response_bytes"),
        *(
            Counter(
                "inference_cache_lookups_total",
                measure,
                where=("outcome", frozenset({outcome})),
            )
            for measure, outcome in CACHE_OUTCOMES.items()
        ),
    ),
    histograms=(Histogram("request_latency_seconds", SECONDS),),
    models=("model",),
    versions=("version",),
    own=True,
)

_TRITON_FAILURES = {
    "REJECTED": (503, "rejected"),
    "CANCELED": (499, "canceled"),
    "BACKEND": (500, "backend"),
    "OTHER": (500, "other"),
}

TRITON = Preset(
    "triton",
    gauges=(
        Gauge("nv_inference_pending_request_count", "queue_depth"),
        Gauge("nv_cpu_utilization", "cpu_utilization", over="mean"),
        Gauge("nv_cpu_memory_used_bytes", "memory_bytes"),
        Gauge("nv_gpu_utilization", "gpu_utilization", over="mean"),
        Gauge("nv_gpu_memory_used_bytes", "gpu_memory_bytes"),
        Gauge("nv_gpu_power_usage", "gpu_power_w"),
    ),
    counters=(
        Counter("nv_inference_request_success", "requests"),
        Counter(
            "nv_inference_request_failure", "requests", outcome=Outcome("reason", _TRITON_FAILURES)
        ),
        Counter("nv_inference_count", "executed_items"),
        Counter("nv_inference_request_duration_us", "total_us", MICROSECONDS),
        Counter("nv_inference_queue_duration_us", "queue_us", MICROSECONDS),
        Counter("nv_inference_compute_infer_duration_us", "compute_us", MICROSECONDS),
        Counter("nv_inference_compute_infer_duration_us", "batch_us", MICROSECONDS),
        Counter("nv_inference_exec_count", "executions", PARTS),
        Counter("nv_cache_num_hits_per_model", "cache_memory"),
        Counter("nv_cache_num_misses_per_model", "cache_miss"),
    ),
    models=("model",),
    versions=("version",),
    pool="gpu",
)

_VLLM_REASONS = {
    "stop": SUCCEEDED,
    "length": SUCCEEDED,
    "abort": (499, "abort"),
    "error": (500, "error"),
}

VLLM = Preset(
    "vllm",
    gauges=(
        # One series for each engine, which executes all its requests together.
        Gauge("vllm:num_requests_running", "workers_ready", over="count"),
        Gauge("vllm:num_requests_running", "running"),
        Gauge("vllm:num_requests_waiting", "queue_depth"),
        Gauge(RESIDENT, "memory_bytes", marks=False),
    ),
    counters=(
        Counter(
            "vllm:request_success_total",
            "requests",
            outcome=Outcome("finished_reason", _VLLM_REASONS),
        ),
        Counter("vllm:e2e_request_latency_seconds_sum", "total_us", SECONDS),
        Counter("vllm:request_queue_time_seconds_sum", "queue_us", SECONDS),
        Counter("vllm:request_inference_time_seconds_sum", "compute_us", SECONDS),
        Counter("vllm:prompt_tokens_total", "input_tokens"),
        Counter("vllm:generation_tokens_total", "output_tokens"),
    ),
    histograms=(Histogram("vllm:e2e_request_latency_seconds", SECONDS),),
    models=("model_name",),
    pool="gpu",
)

KSERVE = Preset(
    "kserve",
    # A model server that was never asked has no other metric of its own.
    gauges=(Gauge(RESIDENT, "memory_bytes"),),
    counters=(
        Counter("request_predict_seconds_count", "requests"),
        *(
            Counter(f"request_{step}_seconds_sum", "total_us", SECONDS)
            for step in ("preprocess", "predict", "postprocess", "explain")
        ),
        Counter("request_predict_seconds_sum", "compute_us", SECONDS),
        Counter("request_predict_seconds_sum", "worker_us", SECONDS),
    ),
    histograms=(Histogram("request_predict_seconds", SECONDS),),
    models=("model_name",),
    needs_selector=True,
)

_RESPONSE_CODE = Outcome("response_code")

KNATIVE = Preset(
    "knative",
    counters=(
        Counter("revision_request_count", "requests", outcome=_RESPONSE_CODE),
        Counter("revision_request_latencies_sum", "total_us", MILLISECONDS, outcome=_RESPONSE_CODE),
        Counter(
            "revision_app_request_latencies_sum",
            "compute_us",
            MILLISECONDS,
            outcome=_RESPONSE_CODE,
        ),
        Counter(
            "revision_app_request_latencies_sum", "worker_us", MILLISECONDS, outcome=_RESPONSE_CODE
        ),
    ),
    histograms=(Histogram("revision_request_latencies", MILLISECONDS, outcome=_RESPONSE_CODE),),
    models=("configuration_name", "service_name"),
    versions=("revision_name",),
)

KNATIVE_PODS = Preset(
    "knative_pods",
    gauges=(
        Gauge("autoscaler_actual_pods", "replicas"),
        Gauge("autoscaler_pending_pods", "workers_loading"),
    ),
    nodes=(("namespace_name", "revision_name"),),
)

DCGM = Preset(
    "dcgm",
    gauges=(
        Gauge("DCGM_FI_DEV_GPU_UTIL", "gpu_utilization", PERCENT, over="mean"),
        Gauge("DCGM_FI_DEV_FB_USED", "gpu_memory_bytes", MEBIBYTES),
        Gauge("DCGM_FI_DEV_POWER_USAGE", "gpu_power_w"),
    ),
    nodes=(("Hostname",), ("hostname",), ("instance",)),
    pool="gpu",
)

KUBE_STATE = Preset(
    "kube_state",
    gauges=(
        Gauge("kube_deployment_status_replicas_ready", "replicas"),
        # Wanted and not ready.
        Gauge("kube_deployment_spec_replicas", "workers_loading"),
        Gauge("kube_deployment_status_replicas_ready", "workers_loading", -1),
    ),
    nodes=(("exported_namespace", "deployment"), ("namespace", "deployment")),
    needs_selector=True,
)

NODE_EXPORTER = Preset(
    "node_exporter",
    gauges=(
        Gauge("node_memory_MemTotal_bytes", "memory_bytes"),
        Gauge("node_memory_MemAvailable_bytes", "memory_bytes", -1),
    ),
    counters=(
        Counter("node_cpu_seconds_total", "cpu_us", SECONDS),
        Counter(
            "node_cpu_seconds_total",
            "cpu_idle_us",
            SECONDS,
            where=("mode", frozenset({"idle", "iowait"})),
        ),
    ),
)

PRESETS: Final = {
    preset.name: preset
    for preset in (
        INFERENCE_NODE,
        TRITON,
        VLLM,
        KSERVE,
        KNATIVE,
        KNATIVE_PODS,
        DCGM,
        KUBE_STATE,
        NODE_EXPORTER,
    )
}


def combined(names: Sequence[str]) -> Preset:
    """Return one preset of all `names`, for exporters on the same machines.

    What two of them tell of a machine is that of the first. Raises ValueError for a name that is
    none, and for presets that would count the same twice.
    """
    for name in names:
        if name not in PRESETS:
            raise ValueError(f"preset is {name!r}; accepted: {', '.join(PRESETS)}")
    presets = [PRESETS[name] for name in names]
    if not presets or len(set(names)) < len(names):
        raise ValueError(f"preset is {list(names)}; accepted: at least one, and each once")
    if len(presets) == 1:
        return presets[0]
    if sum(preset.counts_requests for preset in presets) > 1:
        raise ValueError(f"preset is {list(names)}; accepted: at most one that counts requests")
    if any(preset.has_replicas for preset in presets):
        raise ValueError(
            f"preset is {list(names)}; accepted: one that counts replicas, like knative_pods and "
            "kube_state, in a source of its own"
        )
    gauges: list[Gauge] = []
    for preset in presets:
        told = {gauge.field for gauge in gauges}
        gauges += [gauge for gauge in preset.gauges if gauge.field not in told]
    nodes = dict.fromkeys(labels for preset in presets for labels in preset.nodes)
    return Preset(
        "+".join(names),
        gauges=tuple(gauges),
        counters=tuple(counter for preset in presets for counter in preset.counters),
        histograms=tuple(histogram for preset in presets for histogram in preset.histograms),
        # Every exporter has an instance, so that is the last resort.
        nodes=tuple(sorted(nodes, key=lambda labels: labels == ("instance",))),
        models=tuple(model for preset in presets for model in preset.models),
        versions=tuple(version for preset in presets for version in preset.versions),
        pool="gpu" if any(preset.pool == "gpu" for preset in presets) else "cpu",
        needs_selector=any(preset.needs_selector for preset in presets),
        own=any(preset.own for preset in presets),
    )
