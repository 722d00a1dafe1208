"""Pools, rules, priority levels and queue policies on a real node, as its records tell them."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.accounting import adds_up
from tests.integration.node_process import Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import save
from usage import UsageRecord

POOLS = """
[metering]
sample_interval_seconds = 0.05
[pools.cpu]
workers = 1
[pools.fast]
workers = 2
[pools.large]
workers = 1
[[rules]]
pool = "fast"
priority = "high"
[[rules]]
pool = "large"
model = "any"
min_input_bytes = 800
[[rules]]
pool = "large"
min_items = 3
"""
# Workers are numbered through, in the order of the pools.
WORKERS = {"cpu": {0}, "fast": {1, 2}, "large": {3}}
QUEUES = """
[metering]
sample_interval_seconds = 0.05
"""
LEVELS = """
priority_levels = 3
default_priority_level = 2
[batching.priority_queue_policy.1]
default_timeout_microseconds = 60000000
[batching.priority_queue_policy.3]
max_queue_size = 2
"""


async def _ask(
    session: aiohttp.ClientSession, node: Node, model: str, about: dict[str, Any]
) -> tuple[int, str]:
    parameters = {name: about[name] for name in ("priority", "timeout") if name in about}
    items, width_ = about.get("items", 1), about.get("width", 4 if model == "any" else 256)
    given = {
        "name": "x",
        "datatype": "FP32",
        "shape": [items, width_],
        "data": [1.0] * items * width_,
    }
    body = {"inputs": [given], "parameters": parameters}
    headers = {"x-priority": about.get("class", "normal")}
    url = f"{node.url}/v2/models/{model}/infer"
    async with session.post(url, json=body, headers=headers) as response:
        await response.read()
        return response.status, response.headers["x-record-id"]


def ask_all(node: Node, model: str, *requests: dict[str, Any]) -> list[UsageRecord]:
    """Send `requests` at once; return their records in that order."""

    async def run() -> list[tuple[int, str]]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            return await asyncio.gather(*(_ask(session, node, model, one) for one in requests))

    found = [(status, node.record(record_id)) for status, record_id in asyncio.run(run())]
    assert all(status == record.status for status, record in found)
    return [record for _, record in found]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "any", onnx_models.any_length())
    save(folder, "slow", onnx_models.slow(), max_batch_size=1, more=LEVELS)
    save(folder, "patient", onnx_models.slow(), max_batch_size=1)
    return folder


def test_rules_send_requests_to_pools_by_priority_model_and_size(
    repository: Path, tmp_path: Path
) -> None:
    with running_node(tmp_path, repository, POOLS) as node:
        for model, about, pool in (
            ("any", {}, "cpu"),
            ("any", {"class": "high"}, "fast"),
            ("any", {"class": "high", "items": 8}, "fast"),
            ("any", {"width": 200}, "large"),
            ("any", {"width": 199}, "cpu"),
            ("any", {"items": 3}, "large"),
            ("any", {"items": 2, "class": "batch"}, "cpu"),
            ("patient", {}, "cpu"),
            ("patient", {"class": "high"}, "fast"),
        ):
            records = ask_all(node, model, *[about] * 4)
            assert {record.status for record in records} == {200}, (model, about)
            assert {record.worker for record in records} <= WORKERS[pool], (model, about)
            assert {record.pool for record in records} == {"cpu"}  # the device
        text = node.ask("GET", "/metrics").body.decode()
        for pool, workers in WORKERS.items():
            assert f'inference_workers_ready{{pool="{pool}"}} {len(workers)}.0' in text
        assert adds_up(node)
        assert {sample.workers_ready for sample in node.samples()} == {0, 4}


@pytest.fixture
def node(repository: Path, tmp_path: Path) -> Iterator[Node]:
    policy = "models.patient.batching.default_queue_policy"
    config = f'{QUEUES}[{policy}]\ntimeout_action = "delay"\ndefault_timeout_microseconds = 1000\n'
    with running_node(tmp_path, repository, config) as node:
        yield node


def test_a_request_that_waits_too_long_is_refused_and_its_record_says_why(node: Node) -> None:
    records = ask_all(node, "slow", *[{}] * 40, *[{"timeout": 1}] * 5)
    refused = [record for record in records if record.status != 200]
    assert {(r.status, r.error, r.batch_size) for r in refused} == {(503, "queue_timeout", 0)}
    assert 1 <= len(refused) <= 5
    assert {record.status for record in records[:40]} == {200}
    assert adds_up(node)


def test_a_policy_may_have_them_wait_on_instead(node: Node) -> None:
    records = ask_all(node, "patient", *[{}] * 30)
    assert {record.status for record in records} == {200}
    assert max(record.queue_us for record in records) > 1000
    assert adds_up(node)


def test_a_higher_level_goes_first_whatever_came_before(node: Node) -> None:
    records = ask_all(node, "slow", *[{}] * 30, *[{"priority": 1}] * 3)
    began = {record.record_id: record.arrived_at_us + record.queue_us for record in records}
    last_us = max(began.values())
    for record in records[30:]:
        assert record.status == 200
        # Whoever of level 2 waited when it arrived began after it, but for the one under way.
        before = [
            other
            for other in records[:30]
            if other.arrived_at_us < record.arrived_at_us
            and record.arrived_at_us < began[other.record_id] < began[record.record_id]
        ]
        assert len(before) <= 1
        assert began[record.record_id] < last_us
    assert adds_up(node)


def test_each_level_has_a_limit_of_its_own(node: Node) -> None:
    records = ask_all(node, "slow", *[{}] * 30, *[{"priority": 3}] * 20)
    assert {record.status for record in records[:30]} == {200}
    low = Counter((record.status, record.error) for record in records[30:])
    assert low.keys() == {(200, None), (503, "queue_full")}
    assert low[200, None] >= 2
    assert adds_up(node)


@pytest.mark.parametrize("parameters", [{"priority": 4}, {"priority": -1}, {"timeout": -5}])
def test_a_level_that_is_not_there_is_refused(node: Node, parameters: dict[str, int]) -> None:
    given = {"name": "x", "datatype": "FP32", "shape": [1, 256], "data": [1.0] * 256}
    body = json.dumps({"inputs": [given], "parameters": parameters}).encode()
    answer = node.ask("POST", "/v2/models/slow/infer", body)
    assert answer.status == 400
    assert next(iter(parameters)) in answer.error
    assert node.record(answer.record_id).error == "invalid_request"


def test_batch_work_is_done_when_nothing_else_waits(node: Node) -> None:
    records = ask_all(
        node, "slow", *[{"class": "batch"}] * 60, *[{}] * 10, *[{"class": "high"}] * 3
    )
    assert {record.status for record in records} == {200}
    until(lambda: len(node.records()) == 73)
    order = [record.priority for record in node.records()]
    assert order[-1] == "batch"
    assert adds_up(node)
