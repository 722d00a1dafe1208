"""Requests that arrive together share batches, and every microsecond is accounted for."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.node_process import Node, running_node
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import save
from usage import UsageRecord

CONFIG = """
[pools.cpu]
workers = 2
[serving]
max_queue_size = 300
[metering]
sample_interval_seconds = 0.05
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "slow", onnx_models.slow(), max_batch_size=16, delay_us=2000)
    save(folder, "any", onnx_models.any_length(), max_batch_size=16, delay_us=2000)
    save(folder, "fragile", onnx_models.fragile(), max_batch_size=4, delay_us=200_000)
    return folder


@pytest.fixture
def node(repository: Path, tmp_path: Path) -> Iterator[Node]:
    with running_node(tmp_path, repository, CONFIG) as node:
        yield node


Asked = tuple[str, dict[str, Any], dict[str, str]]


def ask_all(node: Node, asked: list[Asked]) -> list[tuple[int, str, dict[str, Any]]]:
    """Send all requests at once; return status, record id and content of each."""

    async def ask(
        session: aiohttp.ClientSession, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> tuple[int, str, dict[str, Any]]:
        async with session.post(f"{node.url}{path}", json=body, headers=headers) as response:
            content = await response.json()
            return response.status, response.headers.get("x-record-id", ""), content

    async def run() -> list[tuple[int, str, dict[str, Any]]]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            return await asyncio.gather(*(ask(session, *one) for one in asked))

    return asyncio.run(run())


def tensor(shape: list[int], value: float) -> dict[str, Any]:
    count = shape[0] * shape[1]
    given = {"name": "x", "datatype": "FP32", "shape": shape, "data": [value] * count}
    return {"inputs": [given]}


def slow_requests(count: int) -> list[Asked]:
    """Requests of one to three items; each holds its own number."""
    return [
        (
            "/v2/models/slow/infer",
            tensor([1 + number % 3, 256], number),
            {"x-tenant": f"t{number % 4}", "x-priority": ("high", "normal", "batch")[number % 3]},
        )
        for number in range(count)
    ]


def executed(records: list[UsageRecord]) -> dict[int, list[UsageRecord]]:
    """Return the requests of every batch."""
    batches: dict[int, list[UsageRecord]] = {}
    for record in records:
        if record.batch_id is not None:
            batches.setdefault(record.batch_id, []).append(record)
    return batches


def test_two_hundred_requests_at_once_are_batched_and_add_up_to_the_busy_time_exactly(
    node: Node,
) -> None:
    answers = ask_all(node, slow_requests(200))
    assert node.stop() == 0

    for number, (status, _, content) in enumerate(answers):
        assert status == 200
        assert set(content["outputs"][0]["data"]) == {float(number)}
    records = node.records()
    assert sorted(r.record_id for r in records) == sorted(record for _, record, _ in answers)
    assert sorted(r.seq for r in records) == list(range(1, 201))

    batches = executed(records)
    assert max(r.batch_size for r in records) > 1
    for batch in batches.values():
        assert sum(r.items for r in batch) == batch[0].batch_size <= 16
        assert len({(r.batch_size, r.compute_us, r.worker) for r in batch}) == 1
        assert len({r.arrived_at_us + r.queue_us for r in batch}) == 1

    # But for those of priority batch, which give way: they execute in pieces.
    spans = sorted(
        (r.worker, r.arrived_at_us + r.queue_us, r.arrived_at_us + r.queue_us + r.compute_us)
        for r in (batch[0] for batch in batches.values())
        if r.worker is not None and r.priority != "batch"
    )
    for one, other in pairwise(spans):
        assert one[0] != other[0] or one[2] <= other[1]

    shares = sum(Fraction(r.compute_us * r.items, r.batch_size) for r in records)
    assert shares == sum(sample.busy_us for sample in node.samples())


def test_samples_tile_the_life_of_the_node_on_multiples_of_the_interval(node: Node) -> None:
    ask_all(node, slow_requests(50))
    assert node.stop() == 0

    samples = node.samples()
    for before, sample in pairwise(samples):
        assert sample.sampled_at_us - sample.interval_us == before.sampled_at_us
    assert (samples[0].workers_loading, samples[0].workers_ready) == (2, 0)
    for sample in samples[1:]:
        assert (sample.workers_loading, sample.workers_ready) == (0, 2)
        assert sample.busy_us <= 2 * sample.interval_us
    assert all(sample.sampled_at_us % 50_000 == 0 for sample in samples[1:-1])
    last_us = samples[-1].sampled_at_us
    for record in node.records():
        assert samples[0].sampled_at_us <= record.arrived_at_us
        assert record.arrived_at_us + record.queue_us + record.compute_us <= last_us
        assert record.queue_us + record.compute_us <= record.total_us


def test_requests_of_different_shapes_at_once_each_get_their_own_answer(node: Node) -> None:
    asked: list[Asked] = [
        ("/v2/models/any/infer", tensor([1, 1 + number % 5], number), {}) for number in range(100)
    ]
    for number, (status, _, content) in enumerate(ask_all(node, asked)):
        assert status == 200
        assert content["outputs"][0]["shape"] == [1, 1 + number % 5]
        assert set(content["outputs"][0]["data"]) == {float(number)}


def test_one_request_that_makes_its_batch_fail_fails_the_batch_and_all_of_it_is_paid_for(
    node: Node,
) -> None:
    asked: list[Asked] = [
        (
            "/v2/models/fragile/infer",
            {"inputs": [{"name": "x", "datatype": "INT64", "shape": [1], "data": [index]}]},
            {},
        )
        for index in (0, 1, 9, 3)
    ]
    answers = ask_all(node, asked)
    assert [status for status, _, _ in answers] == [500] * 4
    [good] = ask_all(node, asked[:1])
    assert good[0] == 200
    assert node.stop() == 0

    failed = [record for record in node.records() if record.status == 500]
    assert {(r.error, r.batch_size, r.batch_id) for r in failed} == {("execution_failed", 4, 1)}
    shares = sum(Fraction(r.compute_us * r.items, r.batch_size) for r in node.records())
    assert shares == sum(sample.busy_us for sample in node.samples())


def test_a_full_queue_answers_503_and_the_rest_is_served(node: Node) -> None:
    answers = ask_all(node, slow_requests(500))
    statuses = Counter(status for status, _, _ in answers)
    assert set(statuses) == {200, 503}
    assert statuses[200] >= 300
    assert node.stop() == 0
    refused = [record for record in node.records() if record.status == 503]
    assert len(refused) == statuses[503]
    assert {(r.error, r.batch_id, r.compute_us) for r in refused} == {("queue_full", None, 0)}
    for status, _, content in answers:
        assert status == 200 or "requests wait already; try again later" in content["error"]


def test_metrics_parse_and_count_what_the_records_count(node: Node) -> None:
    good = slow_requests(60)
    bad: list[Asked] = [
        ("/v2/models/slow/infer", tensor([1, 3], 0), {}),
        ("/v2/models/slow/infer", {"inputs": []}, {}),
        ("/v2/models/nope/infer", tensor([1, 3], 0), {}),
        ("/v2/models/nope/versions/3/infer", tensor([1, 3], 0), {}),
        ("/predict", {}, {}),
    ]
    ask_all(node, good + bad)
    scraped = node.ask("GET", "/metrics")
    assert node.stop() == 0

    assert scraped.headers["content-type"].startswith("text/plain")
    series = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(scraped.body.decode())
        for sample in family.samples
    }
    records = node.records()
    assert len(records) == 65

    by_outcome = Counter(
        (
            (r.model, r.model_version) if r.variant else ("unknown", "unknown"),
            r.status,
            r.error or "",
        )
        for r in records
    )
    counted = {
        labels: value
        for (name, labels), value in series.items()
        if name == "inference_requests_total"
    }
    assert counted == {
        tuple(
            sorted(
                {
                    "model": str(model),
                    "version": str(version),
                    "status": str(status),
                    "error": error,
                }.items()
            )
        ): count
        for ((model, version), status, error), count in by_outcome.items()
    }

    def of_slow(name: str) -> float:
        """Add up a series of the model over the priorities of its requests."""
        return sum(
            value
            for (found, labels), value in series.items()
            if found == name and {("model", "slow"), ("version", "1")} <= set(labels)
        )

    served = [record for record in records if record.status == 200]
    assert of_slow("request_latency_seconds_count") == 60
    for name, values in (
        ("request_latency_seconds", [r.total_us / 1e6 for r in served]),
        ("inference_queue_seconds", [r.queue_us / 1e6 for r in served]),
        ("inference_compute_seconds", [r.compute_us / 1e6 for r in served]),
        ("inference_batch_size", [r.batch_size for r in served]),
    ):
        assert of_slow(f"{name}_count") == len(values)
        assert of_slow(f"{name}_sum") == pytest.approx(sum(values))
    assert series["inference_queue_depth", (("pool", "cpu"),)] == 0
    assert series["inference_workers_ready", (("pool", "cpu"),)] == 2
    assert series["usage_records_dropped_total", ()] == 0
