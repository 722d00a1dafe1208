"""What is exposed: names, labels and numbers, and nothing that a client made up."""

from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from inference_node.errors import QueueFullError
from inference_node.metering.gpu import GpuReading
from inference_node.metering.metrics import FOLD_AT
from inference_node.metering.triton_aliases import REASONS
from tests.fixtures_usage import node_sample, usage_record
from tests.unit.inference_node.metering.full_node import FullNode, exposed, names, value

OF = {"model": "digits", "version": "1"}
SHADOW = {"route": "shadow", "parent_id": "0198c0de-0000-7000-8000-0000000000fe"}


def test_requests_are_counted_by_outcome() -> None:
    node = FullNode()
    for _ in range(3):
        node.metrics.count(usage_record())
    node.metrics.count(usage_record(status=503, error="queue_full", batch_size=0, compute_us=0))
    requests = "inference_requests_total"
    assert value(node.metrics, requests, **OF, status="200", error="") == 3
    assert value(node.metrics, requests, **OF, status="503", error="queue_full") == 1
    assert value(node.metrics, "inference_errors_total", code="queue_full") == 1
    assert value(node.metrics, "inference_items_total", **OF) == 4


def test_every_error_code_is_there_before_it_happens() -> None:
    assert value(FullNode().metrics, "inference_errors_total", code=QueueFullError.code) == 0


def test_no_more_than_a_bounded_number_of_records_is_kept() -> None:
    node = FullNode()
    for _ in range(3 * FOLD_AT + 5):
        node.metrics.count(usage_record())
        assert len(node.metrics._records) < FOLD_AT
    assert value(node.metrics, "request_latency_seconds_count", **OF, priority="normal") == (
        3 * FOLD_AT + 5
    )


def test_latency_is_that_of_successful_requests_by_priority() -> None:
    node = FullNode()
    node.metrics.count(usage_record(priority="high", total_us=2_080))
    node.metrics.count(usage_record(priority="high", total_us=90_000, status=500, error="x"))
    name = "request_latency_seconds"
    high = {**OF, "priority": "high"}
    assert value(node.metrics, f"{name}_count", **high) == 1
    assert value(node.metrics, f"{name}_sum", **high) == 0.00208
    assert value(node.metrics, f"{name}_bucket", **high, le="0.002") == 0
    assert value(node.metrics, f"{name}_bucket", **high, le="0.0025") == 1
    assert value(node.metrics, f"{name}_count", **OF, priority="normal") is None


def test_an_execution_on_behalf_of_another_request_is_no_request() -> None:
    node = FullNode()
    node.metrics.count(usage_record())
    alone = exposed(node.metrics)
    node.metrics.count(usage_record(**SHADOW))
    both = exposed(node.metrics)
    changed = {
        name
        for name, labels in both
        if both[name, labels] != alone.get((name, labels)) and not name.startswith("process_")
    }
    assert changed == {
        "inference_on_behalf_total", "inference_executions_total",
        "inference_executed_items_total", "inference_worker_busy_seconds_total",
        "inference_batch_size_bucket", "inference_batch_size_count", "inference_batch_size_sum",
        "inference_queue_seconds_bucket", "inference_queue_seconds_count",
        "inference_queue_seconds_sum", "inference_compute_seconds_bucket",
        "inference_compute_seconds_count", "inference_compute_seconds_sum",
        "nv_inference_count", "nv_inference_exec_count",
    }  # fmt: skip


def test_a_request_that_was_not_executed_has_no_stage() -> None:
    node = FullNode()
    node.metrics.count(usage_record(cache="memory", batch_size=0, batch_id=None, compute_us=0))
    assert value(node.metrics, "inference_cache_lookups_total", **OF, outcome="memory") == 1
    assert value(node.metrics, "request_latency_seconds_count", **OF, priority="normal") == 1
    assert value(node.metrics, "inference_queue_seconds_count", **OF) is None
    assert value(node.metrics, "inference_executions_total", **OF) is None


def test_a_batch_is_one_execution_whoever_was_in_it() -> None:
    node = FullNode()
    for items in (1, 2, 4):
        node.metrics.count(usage_record(items=items, batch_size=7, compute_us=700_000))
    assert value(node.metrics, "inference_executions_total", **OF) == 1
    assert value(node.metrics, "inference_executed_items_total", **OF) == 7
    assert value(node.metrics, "inference_worker_busy_seconds_total", device="cpu") == 0.7
    assert value(node.metrics, "inference_batch_size_sum", **OF) == 21
    assert value(node.metrics, "inference_batch_size_bucket", **OF, le="8.0") == 3
    assert value(node.metrics, "inference_batch_size_bucket", **OF, le="4.0") == 0


def test_what_a_client_made_up_is_no_label() -> None:
    node = FullNode()
    hostile = 'x"} 1\ninjected 1'
    for number in range(3):
        node.metrics.count(
            usage_record(
                model=f"{hostile}{number}", model_version=hostile, variant=None, tenant=hostile,
                labels={hostile: hostile}, client_region=hostile, status=404,
                error="unknown_model",
            )
        )  # fmt: skip
    text = node.metrics.expose()[0].decode()
    assert "injected" not in text
    unknown = {"model": "unknown", "version": "unknown"}
    requests = "inference_requests_total"
    assert value(node.metrics, requests, **unknown, status="404", error="unknown_model") == 3


def test_a_model_may_have_any_name() -> None:
    node = FullNode()
    name = 'back\\slash "quoted" naïve\nline'
    node.metrics.count(usage_record(model=name))
    labels = {"model": name, "version": "1"}
    assert value(node.metrics, "inference_items_total", **labels) == 1


def test_rejections_by_the_queue_are_failures_under_tritons_names() -> None:
    node = FullNode()
    for status, code in (
        (503, "queue_full"), (503, "queue_timeout"), (499, "client_gone"),
        (500, "execution_failed"), (400, "invalid_request"),
    ):  # fmt: skip
        node.metrics.count(usage_record(status=status, error=code, batch_size=0, compute_us=0))
    failure = "nv_inference_request_failure"
    found = [value(node.metrics, failure, **OF, reason=reason) for reason in REASONS]
    assert found == [2, 1, 1, 1]
    assert value(node.metrics, "nv_inference_request_success", **OF) == 0


def test_tritons_durations_are_microseconds_of_successful_requests() -> None:
    node = FullNode()
    record = usage_record(total_us=2_080, queue_us=400, compute_us=1_500)
    for _ in range(2):
        node.metrics.count(record)
    node.metrics.count(usage_record(status=500, error="execution_failed"))
    assert value(node.metrics, "nv_inference_request_duration_us", **OF) == 4_160
    assert value(node.metrics, "nv_inference_queue_duration_us", **OF) == 800
    assert value(node.metrics, "nv_inference_compute_infer_duration_us", **OF) == 3_000


def test_the_state_of_the_parts_is_read_at_the_scrape() -> None:
    node = FullNode()
    node.pools["fast"].waiting = 9
    node.meter.failing = True
    node.meter.records_buffered = 17
    node.sessions["m", "1", "cpu"].counts.load_us = 1_500_000
    node.sessions["m", "1", "cpu"].counts.warm_up_us = 500_000
    node.tiers["disk"].failures = 4
    session = {"model": "m", "version": "1", "pool": "cpu"}
    for name, labels, expected in (
        ("inference_queue_depth", {"pool": "fast"}, 9),
        ("inference_workers_ready", {"pool": "cpu"}, 2),
        ("nv_inference_pending_request_count", {"model": "m", "version": "1"}, 7),
        ("inference_sessions_ready", session, 1),
        ("inference_model_load_seconds_total", session, 2),
        ("inference_cache_failures_total", {"tier": "disk"}, 4),
        ("inference_cache_entries", {"tier": "redis"}, None),
        ("inference_cache_entries", {"tier": "memory"}, 0),
        ("usage_spool_failing", {}, 1),
        ("usage_records_buffered", {}, 17),
        ("inference_open_connections", {}, 3),
        ("inference_requests_in_progress", {}, 2),
        ("inference_shadows_skipped_total", {}, 5),
    ):
        assert value(node.metrics, name, **labels) == expected, name


def test_without_a_gpu_nothing_is_said_of_one() -> None:
    node = FullNode()
    assert value(node.metrics, "gpu_utilization_percent") == 25
    assert value(node.metrics, "nv_gpu_utilization") == 0.25
    assert value(node.metrics, "nv_energy_consumption") == 12_000
    node.gpu = GpuReading()
    assert [name for name in names(node.metrics) if "gpu" in name or "energy" in name] == []


def test_the_machine_is_as_busy_as_the_last_sample_says() -> None:
    node = FullNode()
    assert value(node.metrics, "cpu_utilization_ratio") is None
    node.metrics.sample(node_sample(cpu_utilization=0.05))
    assert value(node.metrics, "cpu_utilization_ratio") == 0.05


def test_both_formats_parse_and_say_the_same() -> None:
    node = FullNode()
    node.serve_a_minute()
    text, text_type = node.metrics.expose()
    open_text, open_type = node.metrics.expose("application/openmetrics-text; version=1.0.0")
    assert text_type.startswith("text/plain; version=")
    assert open_type.startswith("application/openmetrics-text; version=1.0.0")
    assert open_text.endswith(b"# EOF\n")
    plain, open_metrics = (
        {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
            if not sample.name.startswith("process_")
        }
        for families in (
            text_string_to_metric_families(text.decode()),
            open_metrics_families(open_text.decode()),  # type: ignore[no-untyped-call]
        )
    )
    assert plain == open_metrics


def test_prometheus_text_is_the_answer_to_whoever_takes_it_or_does_not_say() -> None:
    node = FullNode()
    for accept in (
        None,
        "",
        "*/*",
        "application/json",
        "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
        "application/openmetrics-text-and-more",
    ):
        assert node.metrics.expose(accept)[1].startswith("text/plain"), accept
    for accept in ("application/openmetrics-text", "APPLICATION/OpenMetrics-Text;version=x"):
        assert node.metrics.expose(accept)[1].startswith("application/openmetrics-text"), accept
