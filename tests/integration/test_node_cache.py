"""The response cache of real nodes: what is found where, and what never mixes."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.integration.accounting import adds_up
from tests.integration.node_process import Answer, Node, running_node, until
from tests.integration.redis_process import running_redis
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import save

ENABLED = "[response_cache]\nenable = true\n"
CONFIG = """
[metering]
sample_interval_seconds = 0.05
[pools.cpu]
workers = 2
[models.apart.response_cache]
isolate_tenants = true
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    for version in ("1", "2"):
        save(folder, "any", onnx_models.any_length(), version=version, more=ENABLED)
    save(folder, "apart", onnx_models.any_length(), more=ENABLED)
    save(folder, "slow", onnx_models.slow(), max_batch_size=64, delay_us=300_000, more=ENABLED)
    save(folder, "sums", onnx_models.sum_and_product(), more=ENABLED)
    save(folder, "fragile", onnx_models.fragile(), more=ENABLED)
    save(folder, "plain", onnx_models.any_length())
    for datatype in ("INT32", "UINT32", "FP32", "BYTES"):
        save(folder, f"echo-{datatype}", onnx_models.echo(datatype), more=ENABLED)
    return folder


@pytest.fixture
def node(repository: Path, tmp_path: Path) -> Iterator[Node]:
    with running_node(tmp_path, repository, CONFIG) as node:
        yield node


def ask(node: Node, value: float = 1.0, model: str = "any", **headers: str) -> Answer:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    answer = node.infer(model, named, x=("FP32", [1, 2], [value, value]))
    assert answer.json["outputs"][0]["data"] == [value, value]
    return answer


def came_from(node: Node, answer: Answer) -> str:
    return node.record(answer.record_id).cache


def test_the_same_again_comes_from_memory_and_costs_no_machine_time(node: Node) -> None:
    first, second = ask(node), ask(node)
    assert second.body == first.body
    assert [came_from(node, answer) for answer in (first, second)] == ["miss", "memory"]
    record = node.record(second.record_id)
    assert (record.compute_us, record.batch_size, record.worker, record.queue_us) == (0, 0, None, 0)
    assert came_from(node, ask(node, model="plain")) == "bypass"
    assert came_from(node, ask(node, model="plain")) == "bypass"
    text = node.ask("GET", "/metrics").body.decode()
    [hits] = [
        line for line in text.splitlines() if "cache_lookups_total{" in line and '"memory"' in line
    ]
    assert hits.endswith(" 1.0")
    assert adds_up(node)


def test_what_differs_in_anything_that_counts_never_mixes(node: Node) -> None:
    asked: list[tuple[str, dict[str, Any], list[str]]] = [
        (path, {"x": ("FP32", shape, [1.0] * 4)}, [])
        for path in ("any", "any/versions/1", "apart")
        for shape in ([1, 4], [2, 2], [4, 1])
    ]
    bits = [1065353216, 1065353216]  # those of 1.0 in FP32
    for datatype, data in (("INT32", bits), ("UINT32", bits), ("FP32", [1.0, 1.0])):
        asked.append((f"echo-{datatype}", {"x": (datatype, [1, 2], data)}, []))
    asked += [
        ("echo-BYTES", {"x": ("BYTES", [1, 2], texts)}, [])
        for texts in (["a", "bc"], ["ab", "c"], ["abc", ""])
    ]
    for outputs in (["sum"], ["product"], ["sum", "product"]):
        numbers = {"a": ("INT64", [1], [2]), "b": ("INT64", [1], [3])}
        asked.append(("sums", numbers, outputs))
    asked.append(("sums", {"a": ("INT64", [1], [3]), "b": ("INT64", [1], [2])}, ["sum"]))

    def answers() -> list[Any]:
        found = []
        for model, inputs, outputs in asked:
            tensors = [
                {"name": name, "datatype": datatype, "shape": shape, "data": data}
                for name, (datatype, shape, data) in inputs.items()
            ]
            body = {"inputs": tensors, "outputs": [{"name": name} for name in outputs]}
            answer = node.ask("POST", f"/v2/models/{model}/infer", json.dumps(body).encode())
            assert answer.status == 200, answer.body
            assert came_from(node, answer) == expected
            found.append(answer.json)
        return found

    expected = "miss"
    first = answers()
    expected = "memory"
    assert answers() == first
    for (_, inputs, outputs), answer in zip(asked, first, strict=True):
        if not outputs:
            [output] = answer["outputs"]
            assert (output["datatype"], output["shape"], output["data"]) == inputs["x"]
        assert [output["name"] for output in answer["outputs"]] == (outputs or ["y"])


def test_tenants_get_each_others_answers_only_where_they_may(node: Node) -> None:
    found = [
        came_from(node, ask(node, model=model, x_tenant=tenant))
        for model in ("any", "apart")
        for tenant in ("a", "b", "a")
    ]
    assert found == ["miss", "memory", "memory", "miss", "miss", "memory"]


def test_a_failure_is_not_kept(node: Node) -> None:
    for _ in range(2):
        answer = node.infer("fragile", x=("INT64", [1], [9]))
        assert answer.status == 500
        assert came_from(node, answer) == "miss"
    assert adds_up(node)


def all_at_once(node: Node, count: int, value: float) -> list[str]:
    """Send `count` equal requests; return the ids of their records."""
    given = {"name": "x", "datatype": "FP32", "shape": [1, 256], "data": [value] * 256}

    async def one(session: aiohttp.ClientSession) -> str:
        url = f"{node.url}/v2/models/slow/infer"
        async with session.post(url, json={"inputs": [given]}) as response:
            assert response.status == 200
            assert (await response.json())["outputs"][0]["data"] == [value] * 256
            return response.headers["x-record-id"]

    async def run() -> list[str]:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            return await asyncio.gather(*(one(session) for _ in range(count)))

    return asyncio.run(run())


def test_equal_requests_at_once_leave_as_many_records_and_one_execution(node: Node) -> None:
    # The delay of the batch, of one, is time to find that it is the same.
    ids = all_at_once(node, 30, 1.0)
    records = [node.record(record_id) for record_id in ids]
    assert len({record.record_id for record in records}) == 30
    found = Counter(record.cache for record in records)
    assert found["miss"] == 1
    assert found["coalesced"] > 0
    assert set(found) <= {"miss", "coalesced", "memory"}
    assert [record.cache for record in records if record.batch_size] == ["miss"]
    assert len({record.input_digest for record in records}) == 1
    assert adds_up(node)


@contextmanager
def cached(folder: Path, repository: Path, **cache: object) -> Iterator[Node]:
    """A node with these settings of its cache."""
    folder.mkdir(exist_ok=True)
    settings = "\n".join(f"{name} = {json.dumps(value)}" for name, value in cache.items())
    with running_node(folder, repository, f"{CONFIG}\n[cache]\n{settings}\n") as node:
        yield node


def test_what_is_on_disk_survives_the_node_and_even_its_death(
    repository: Path, tmp_path: Path
) -> None:
    disk = {"disk_path": str(tmp_path / "cache.sqlite")}
    with cached(tmp_path / "a", repository, **disk) as node:
        body = ask(node, 1.0).body
        assert node.stop() == 0
    with cached(tmp_path / "b", repository, **disk) as node:
        found = [ask(node, 1.0), ask(node, 1.0), ask(node, 2.0)]
        assert [came_from(node, answer) for answer in found] == ["disk", "memory", "miss"]
        assert found[0].body == body
        until(
            lambda: (
                'inference_cache_entries{tier="disk"} 2.0' in str(node.ask("GET", "/metrics").body)
            )
        )
        node.process.kill()
    with cached(tmp_path / "c", repository, **disk) as node:
        assert came_from(node, ask(node, 2.0)) == "disk"
        assert adds_up(node)


def test_a_file_that_is_no_cache_costs_hits_and_nothing_else(
    repository: Path, tmp_path: Path
) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    with cached(tmp_path / "a", repository, disk_path=str(path)) as node:
        assert came_from(node, ask(node, 1.0)) in ("miss", "disk")
        assert came_from(node, ask(node, 1.0)) == "memory"
        assert adds_up(node)


def test_nodes_share_answers_over_redis_and_go_on_without_it(
    repository: Path, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis(tmp_path))
        cache = {"redis_url": redis.url, "redis_timeout_milliseconds": 1000}
        one, other = (
            stack.enter_context(cached(tmp_path / name, repository, **cache)) for name in "ab"
        )
        assert came_from(one, ask(one, 1.0)) == "miss"
        until(lambda: redis.ask(b"DBSIZE") == b":1\r\n")
        found = [ask(other, 1.0), ask(other, 1.0)]
        assert [came_from(other, answer) for answer in found] == ["redis", "memory"]

        asked: list[int] = []
        over = threading.Event()

        def keep_asking(node: Node, offset: int) -> None:
            while not over.is_set():
                assert ask(node, offset + len(asked)).status == 200
                asked.append(offset)

        threads = [
            threading.Thread(target=keep_asking, args=(node, offset))
            for node, offset in ((one, 10_000), (other, 20_000))
        ]
        for thread in threads:
            thread.start()
        try:
            until(lambda: len(asked) > 50)
            redis.kill()
            dead = len(asked)
            until(lambda: len(asked) > dead + 100)
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert came_from(one, ask(one, 1.0)) == "memory"
        for node in (one, other):
            assert adds_up(node)
            assert {record.status for record in node.records()} == {200}
        total = len(one.records()) + len(other.records())
        assert total == len(asked) + 4
