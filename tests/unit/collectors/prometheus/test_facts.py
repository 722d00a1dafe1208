"""Facts hold to the contract of the store, whatever is scraped and however time is cut."""

import dataclasses
import random
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.prometheus.config import Machine, Source
from collectors.prometheus.facts import FactMaker, Facts
from collectors.prometheus.gathering import OWN
from collectors.prometheus.presets import PRESETS
from collectors.prometheus.series import Series, Value
from collectors.prometheus.target import START
from store import UsageMinute
from tests.unit.collectors.prometheus.counter_truth import BEGIN_US, LOOKBACK_US, SECOND_US
from tests.unit.collectors.prometheus.random_exporters import random_series
from usage import NodeSample, decode_line, encode_line

MINUTE_US = 60 * SECOND_US
MINUTE_END = BEGIN_US + MINUTE_US
MINUTES = 24


def source(preset: str | list[str], **overrides: Any) -> Source:
    fields = {"name": "s", "url": "http://h:1", "selector": 'job="j"', "without_spool": True}
    return Source(**{**fields, "preset": preset, **overrides})


def facts(of: Source, series: list[Series], *edges_us: int) -> Facts:
    """Return the facts of the windows between `edges_us`, each from what a query would give."""
    maker, found = FactMaker(of), Facts()
    for after_us, until_us in pairwise(edges_us):
        kept = [one.within(after_us - LOOKBACK_US, until_us) for one in series]
        told = maker.facts(kept, after_us)
        found.samples += told.samples
        found.minutes += told.minutes
        found.own |= told.own
    return found


def in_order(found: Facts) -> tuple[list[NodeSample], list[str]]:
    samples = sorted(found.samples, key=lambda sample: (sample.node_id, sample.sampled_at_us))
    return samples, sorted(map(str, found.minutes))


presets = st.sampled_from([*PRESETS, ("triton", "dcgm"), ("dcgm", "vllm", "node_exporter")])


@settings(max_examples=60, deadline=None)
@given(
    presets,
    st.integers(0, 2**32),
    st.sets(st.integers(1, MINUTES - 1), max_size=6),
    st.sampled_from([1, 15, 60]),
    st.booleans(),
)
def test_facts_are_the_same_however_time_is_cut_and_keep_the_contract(
    preset: str | tuple[str, ...], seed: int, cuts: set[int], step_s: int, per_host: bool
) -> None:
    names = preset if isinstance(preset, str) else list(preset)
    of = source(names, step_s=step_s, one_node_per_host=per_host)
    series = random_series(random.Random(seed), of.combined_preset(), BEGIN_US, MINUTES)
    whole = facts(of, series, BEGIN_US, BEGIN_US + MINUTES * MINUTE_US)
    edges = [BEGIN_US + cut * MINUTE_US for cut in sorted({0, *cuts, MINUTES})]
    assert in_order(facts(of, series, *edges)) == in_order(whole)
    keep_the_contract(whole)


def keep_the_contract(found: Facts) -> None:
    by_boot: dict[tuple[str, str], list[NodeSample]] = defaultdict(list)
    busy_us: Counter[str] = Counter()
    for sample in found.samples:
        assert decode_line(encode_line(sample)) == sample
        by_boot[sample.node_id, sample.boot_id].append(sample)
        busy_us[sample.node_id] += sample.busy_us
    for samples in by_boot.values():
        for before, after in pairwise(samples):
            assert before.sampled_at_us <= after.sampled_at_us - after.interval_us
    owned_us: Counter[str] = Counter()
    keys = []
    for minute in found.minutes:
        owned_us[minute.node_id] += minute.item_us
        assert minute.minute_us % MINUTE_US == 0
        assert 100 <= minute.status <= 599
        numbers = [value for value in dataclasses.astuple(minute) if isinstance(value, int)]
        assert all(0 <= number < 2**62 for number in numbers)
        assert minute.items >= minute.requests
        assert all(count > 0 for count in minute.latency.values())
        keys.append(dataclasses.replace(minute, requests=0, items=0, item_us=0, queue_us=0,
            compute_us=0, total_us=0, request_bytes=0, response_bytes=0, latency={}))  # fmt: skip
    assert owned_us == busy_us, "worker time of requests is the busy time of their node"
    assert len(set(map(str, keys))) == len(keys), "one row for each combination"


def series(name: str, *values: float | None, at: int = 0, every: int = 15, **labels: str) -> Series:
    """Return samples every 15 seconds, the first of them `at` seconds after the beginning."""
    times = [BEGIN_US + (at + every * place) * SECOND_US for place in range(len(values))]
    given: list[Value] = [None if value is None else Decimal(str(value)) for value in values]
    return Series(name, {"job": "j", "instance": "gpu-1:8002", **labels}, times, given)


def told(of: Source, *given: Series, minutes: int = 10) -> Facts:
    found = facts(of, list(given), BEGIN_US - MINUTE_US, BEGIN_US + minutes * MINUTE_US)
    keep_the_contract(found)
    return found


def test_an_increase_belongs_to_the_minute_of_the_later_sample() -> None:
    found = told(
        source("triton"),
        series("nv_inference_request_success", 1, 2, 4, 8, 16, 32, model="m", at=1),
    )
    by_minute = {m.minute_us: m.requests for m in found.minutes}
    assert by_minute == {BEGIN_US: 1 + 2 + 4, BEGIN_US + MINUTE_US: 8 + 16}


def test_a_sample_on_the_full_minute_closes_the_minute_before() -> None:
    found = told(source("triton"), series("nv_inference_request_success", 1, 3, 7, 8, 9, model="m"))
    assert [(m.minute_us, m.requests) for m in found.minutes] == [(BEGIN_US, 8)]
    assert [s.sampled_at_us for s in found.samples][-1] == BEGIN_US + MINUTE_US


def triton(requests: int, items: int, executions: int, batch_us: int, **more: int) -> Facts:
    """Return the facts of one scrape interval of a Triton with one model."""
    counts = {
        "nv_inference_request_success": requests,
        "nv_inference_count": items,
        "nv_inference_exec_count": executions,
        "nv_inference_compute_infer_duration_us": batch_us,
        "nv_inference_queue_duration_us": 70,
        "nv_inference_request_duration_us": 9_000,
        **more,
    }
    return told(
        source("triton"),
        *(series(name, 5, 5 + value, model="m", version="1") for name, value in counts.items()),
    )


def test_worker_time_of_triton_is_each_batch_once() -> None:
    # Two batches of 4 ms: one of three requests, one of one request with five items in it.
    [minute] = triton(requests=4, items=8, executions=2, batch_us=16_000).minutes
    assert (minute.requests, minute.items) == (4, 8)
    assert (minute.item_us, minute.batch_size, minute.compute_us) == (8_000, 1, 16_000)
    assert (minute.queue_us, minute.total_us) == (70, 9_000)
    assert (minute.model, minute.model_version, minute.cache) == ("m", "1", "bypass")
    assert minute.pool == "gpu"


def test_hits_of_the_cache_are_requests_that_no_worker_executed() -> None:
    found = triton(
        requests=10, items=4, executions=4, batch_us=8_000,
        nv_cache_num_hits_per_model=6, nv_cache_num_misses_per_model=3,
    ).minutes  # fmt: skip
    assert {m.cache: (m.requests, m.items, m.item_us) for m in found} == {
        "memory": (6, 6, 0),
        "miss": (3, 4, 8_000),
        "bypass": (1, 1, 0),
    }


def test_failures_of_triton_are_told_by_reason() -> None:
    found = told(
        source("triton"),
        series("nv_inference_request_failure", 0, 2, model="m", reason="REJECTED"),
        series("nv_inference_request_failure", 0, 3, model="m", reason="BACKEND"),
    )
    assert {(m.status, m.error, m.requests) for m in found.minutes} == {
        (503, "rejected", 2),
        (500, "backend", 3),
    }


def test_a_scrape_between_requests_and_their_execution_loses_no_worker_time() -> None:
    name: dict[str, Any] = {"model": "m"}
    found = told(
        source("triton"),
        series("nv_inference_request_success", 0, 1, 1, **name),
        series("nv_inference_compute_infer_duration_us", 0, 4_000, 4_000, **name),
        series("nv_inference_exec_count", 0, 0, 1, **name),
    )
    assert sum(m.item_us for m in found.minutes) == 4_000


def test_a_counter_that_overtook_its_old_value_is_betrayed_by_one_that_did_not() -> None:
    found = told(
        source("triton"),
        series("nv_inference_request_success", 100, 130, model="m"),
        series("nv_inference_request_duration_us", 9_000, 2_500, model="m"),
        # Another model was not loaded anew.
        series("nv_inference_request_success", 100, 107, model="n"),
    )
    assert {m.model: (m.requests, m.total_us) for m in found.minutes} == {
        "m": (130, 2_500),
        "n": (7, 0),
    }


def test_gauges_of_triton_are_in_the_samples() -> None:
    found = told(
        source("triton", machine=Machine(instance_type="g5.xlarge"), workers=2),
        series("nv_gpu_utilization", 0, 0.5, gpu_uuid="a"),
        series("nv_gpu_utilization", 0, 1, gpu_uuid="b"),
        series("nv_gpu_memory_used_bytes", 0, 10, gpu_uuid="a"),
        series("nv_gpu_memory_used_bytes", 0, 20, gpu_uuid="b"),
        series("nv_gpu_power_usage", 0, 100.5, gpu_uuid="a"),
        series("nv_cpu_utilization", 0, 0.25),
        series("nv_cpu_memory_used_bytes", 0, 4096),
        series("nv_inference_pending_request_count", 0, 3, model="m"),
        series("nv_inference_pending_request_count", 0, 4, model="n"),
    )
    [sample] = found.samples
    assert (sample.gpu_utilization, sample.gpu_memory_bytes, sample.gpu_power_w) == (
        0.75,
        30,
        100.5,
    )
    assert (sample.cpu_utilization, sample.memory_bytes, sample.queue_depth) == (0.25, 4096, 7)
    assert (sample.workers_ready, sample.busy_us) == (2, 0)
    assert (sample.node_id, sample.interval_us) == ("gpu-1_8002", 15 * SECOND_US)


def test_an_engine_of_vllm_is_busy_while_requests_run() -> None:
    name: dict[str, Any] = {"model_name": "llama", "engine": "0"}
    found = told(
        source("vllm"),
        series("vllm:num_requests_running", 0, 4, 0, 9, **name),
        series("vllm:request_success_total", 0, 1, 1, 6, finished_reason="stop", **name),
        series("vllm:request_success_total", 0, 0, 0, 2, finished_reason="abort", **name),
        series("vllm:e2e_request_latency_seconds_sum", 0, 0.5, 0.5, 3.25, **name),
    )
    assert [sample.busy_us for sample in found.samples] == [15 * SECOND_US, 0, 15 * SECOND_US]
    assert {(m.status, m.error, m.requests, m.item_us, m.total_us) for m in found.minutes} == {
        (200, None, 6, 30 * SECOND_US, 3_250_000),
        (499, "abort", 2, 0, 0),
    }
    assert {sample.workers_ready for sample in found.samples} == {1}


def test_a_ready_replica_is_a_machine() -> None:
    name: dict[str, Any] = {"namespace": "shop", "deployment": "bert"}
    found = told(
        source("kube_state"),
        series("kube_deployment_status_replicas_ready", 1, 3, 3, 0, 2, **name),
        series("kube_deployment_spec_replicas", 3, 3, 3, 3, 3, **name),
    )
    counts = Counter(sample.node_id for sample in found.samples)
    assert counts == {"shop.bert.0": 3, "shop.bert.1": 3, "shop.bert.2": 2}
    assert {
        s.node_id: s.workers_loading for s in found.samples if s.sampled_at_us == MINUTE_END
    } == {
        "shop.bert.0": 1,
        "shop.bert.1": 0,
    }


def test_the_whole_machine_of_node_exporter() -> None:
    found = told(
        source("node_exporter"),
        series("node_cpu_seconds_total", 10, 22, cpu="0", mode="idle"),
        series("node_cpu_seconds_total", 5, 8, cpu="0", mode="user"),
        series("node_cpu_seconds_total", 10, 16, cpu="1", mode="idle"),
        series("node_cpu_seconds_total", 5, 14, cpu="1", mode="system"),
        series("node_memory_MemTotal_bytes", 1000, 1000),
        series("node_memory_MemAvailable_bytes", 300, 400),
    )
    [sample] = found.samples
    assert (sample.cpu_utilization, sample.memory_bytes) == (0.4, 600)
    assert found.minutes == []


def test_a_gap_leaves_a_hole_and_counts_nothing() -> None:
    found = told(
        source("triton"),
        series("nv_inference_request_success", 1, 2, model="m"),
        series("nv_inference_request_success", 50, 51, at=400, model="m"),
    )
    # Two samples, with 385 s between them of which nothing is known.
    spans = [(s.sampled_at_us - s.interval_us - BEGIN_US) // SECOND_US for s in found.samples]
    assert spans == [0, 400]
    assert sum(m.requests for m in found.minutes) == 2


def test_samples_are_as_coarse_as_the_step_and_lose_nothing() -> None:
    given = [
        series("nv_inference_request_success", *range(300), every=1, model="m"),
        series("nv_inference_compute_infer_duration_us", *range(0, 3000, 10), every=1, model="m"),
        series("nv_inference_exec_count", *range(300), every=1, model="m"),
    ]
    fine, coarse = told(source("triton", step_s=1), *given), told(source("triton"), *given)
    assert (len(fine.samples), len(coarse.samples)) == (299, 20)
    for found in (fine, coarse):
        assert sum(s.interval_us for s in found.samples) == 299 * SECOND_US
        assert sum(s.busy_us for s in found.samples) == 2990
    assert fine.minutes == coarse.minutes


def test_our_own_nodes_are_left_out_of_every_preset_but_theirs() -> None:
    own = series(OWN, 1, 1, version="0.1")
    success = series("nv_inference_request_success", 1, 9, model="m")
    other = series("nv_inference_request_success", 1, 3, model="m", instance="gpu-2:8002")
    found = told(source("triton"), own, success, other)
    assert found.own == {"gpu-1:8002"}
    assert [(m.node_id, m.requests) for m in found.minutes] == [("gpu-2_8002", 2)]
    assert told(source("inference_node"), own).own == set()


def test_a_node_may_have_another_label_another_name_or_none_of_the_ports() -> None:
    one = series("nv_inference_request_success", 1, 9, model="m", pod="triton-0")
    two = series("nv_inference_request_success", 1, 3, model="m", instance="gpu-1:9002")

    def names(**overrides: Any) -> set[str]:
        return {m.node_id for m in told(source("triton", **overrides), one, two).minutes}

    assert names() == {"gpu-1_8002", "gpu-1_9002"}
    assert names(node_label="pod") == {"triton-0"}
    assert names(one_node_per_host=True) == {"gpu-1"}
    assert names(nodes={"gpu-1:8002": "my_node"}) == {"my_node", "gpu-1_9002"}
    assert names(nodes={"gpu-1": "my_node"}, one_node_per_host=True) == {"my_node"}


def test_exporters_of_one_host_are_one_machine_that_is_billed_once() -> None:
    found = told(
        source(["dcgm", "triton"], one_node_per_host=True, model_label="job"),
        series("nv_inference_request_success", 1, 9, 10, model="m"),
        series("DCGM_FI_DEV_GPU_UTIL", 50, 70, 90, at=4, Hostname="gpu-1", instance="x:9400"),
        series("DCGM_FI_DEV_POWER_USAGE", 80, 90, 95, at=4, Hostname="gpu-1", instance="x:9400"),
    )
    assert {s.node_id for s in found.samples} == {"gpu-1"}
    assert sum(s.interval_us for s in found.samples) == 34 * SECOND_US
    assert [s.gpu_utilization for s in found.samples] == [0.5, 0.7, 0.9]
    assert {m.model for m in found.minutes} == {"j"}


def test_a_process_is_up_from_its_start_and_so_counted() -> None:
    began = BEGIN_US // SECOND_US - 7
    found = told(
        source("triton"),
        series(START, began, began),
        series("nv_inference_request_success", 5, 6, model="m"),
    )
    assert [s.interval_us // SECOND_US for s in found.samples] == [7, 15]
    assert sum(m.requests for m in found.minutes) == 6


def test_latencies_are_those_of_the_histogram_and_all_of_them() -> None:
    ladder = {"0.1": (0, 60), "0.2": (0, 90), "+Inf": (0, 100)}
    name: dict[str, Any] = {"model_name": "m"}
    found = told(
        source("kserve"),
        series("request_predict_seconds_count", 0, 100, **name),
        *(series("request_predict_seconds_bucket", *v, le=le, **name) for le, v in ladder.items()),
    )
    [minute] = found.minutes
    assert (minute.requests, sum(minute.latency.values())) == (100, 100)


def test_a_ladder_that_was_read_while_it_was_written_still_adds_up() -> None:
    ladder = {"0.1": (0, 60), "0.2": (0, 55), "+Inf": (0, 58)}
    found = told(
        source("kserve"),
        *(series("request_predict_seconds_bucket", *v, le=le) for le, v in ladder.items()),
        series("request_predict_seconds_bucket", 0, 5, le="nonsense"),
    )
    [minute] = found.minutes
    assert sum(minute.latency.values()) == 58


@pytest.mark.parametrize("preset", PRESETS)
def test_nothing_comes_of_nothing(preset: str) -> None:
    assert told(source(preset)) == Facts()


def test_worker_time_of_our_own_node_is_exact_and_shared_by_its_models() -> None:
    of = source("inference_node")
    found = told(
        of,
        series("inference_worker_busy_seconds_total", 0, 3.000001, device="cpu"),
        *(
            series(f"inference_{name}", 0, value, model=model, version="1")
            for model, values in {"a": (4, 2, 1), "b": (2, 2, 2)}.items()
            for name, value in zip(
                ("compute_seconds_sum", "compute_seconds_count", "executions_total"),
                values,
                strict=True,
            )
        ),
    )
    assert {m.model: m.item_us for m in found.minutes} == {"a": 1_500_001, "b": 1_500_000}


def test_worker_time_without_a_model_is_nobodys_and_not_lost() -> None:
    busy = series("inference_worker_busy_seconds_total", 0, 1.5, device="cpu")
    found = told(source("inference_node"), busy)
    assert [(m.model, m.requests, m.item_us) for m in found.minutes] == [(None, 0, 1_500_000)]


def test_requests_of_knative_are_told_by_status() -> None:
    name: dict[str, Any] = {"configuration_name": "bert", "revision_name": "bert-1"}
    found = told(
        source("knative"),
        series("revision_request_count", 0, 7, response_code="200", **name),
        series("revision_request_count", 0, 2, response_code="502", **name),
        series("revision_request_latencies_sum", 0, 350.5, response_code="200", **name),
        series("revision_app_request_latencies_sum", 0, 300.25, response_code="200", **name),
    )
    rows = {(m.status, m.requests, m.total_us, m.compute_us, m.item_us) for m in found.minutes}
    assert rows == {(200, 7, 350_500, 300_250, 300_250), (502, 2, 0, 0, 0)}
    assert {(m.model, m.model_version) for m in found.minutes} == {("bert", "bert-1")}


def test_minutes_carry_what_the_source_is_said_to_be() -> None:
    of = source("triton", tenant="shop", labels={"team": "search"}, pool="cpu")
    [minute] = told(of, series("nv_inference_request_success", 1, 2, model="m" * 200)).minutes
    assert isinstance(minute, UsageMinute)
    assert (minute.tenant, minute.labels, minute.pool) == ("shop", {"team": "search"}, "cpu")
    assert minute.model == "m" * 128
