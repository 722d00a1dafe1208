"""Loading and unloading models, and who may ask a node what."""

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inference_node.access.tokens_file import changed_tokens_file, digest_of, new_token
from tests.integration.accounting import adds_up
from tests.integration.node_process import Answer, Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.access.test_token_command import some_entry
from tests.unit.inference_node.onnx_models import SCORES, save

INPUT = ("FP32", [1, 3], [1, 2, 3])
METERING = "[metering]\nsample_interval_seconds = 0.05\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    save(folder, "m", onnx_models.doubling(), version="1")
    save(folder, "m", onnx_models.doubling(), version="2")
    save(folder, "other", onnx_models.doubling())
    save(folder, "slow", onnx_models.slow())
    save(folder, "scores", onnx_models.image_scores(), more=SCORES)
    return folder


@pytest.fixture
def node(repository: Path, tmp_path: Path) -> Iterator[Node]:
    with running_node(tmp_path, repository, METERING) as node:
        yield node


def index(node: Node, body: bytes = b"") -> dict[tuple[str, str], str]:
    answer = node.ask("POST", "/v2/repository/index", body)
    assert answer.status == 200
    return {(one["name"], one["version"]): one["state"] for one in answer.json}


def control(node: Node, action: str, model: str = "m", body: bytes = b"") -> int:
    return node.ask("POST", f"/v2/repository/models/{model}/{action}", body).status


def test_an_unloaded_model_answers_503_until_it_is_loaded_again(node: Node) -> None:
    assert set(index(node).values()) == {"READY"}
    assert len(index(node)) == 5
    assert node.infer("m", x=INPUT).status == 200
    assert control(node, "unload") == control(node, "unload") == 200
    states = index(node)
    assert states["m", "1"] == states["m", "2"] == "UNAVAILABLE"
    assert states["other", "1"] == "READY"
    ready = index(node, b'{"ready": true}')
    assert ("m", "1") not in ready
    assert ("other", "1") in ready

    for path in ("m", "m/versions/1"):
        refused = node.infer(path, x=INPUT)
        assert refused.status == 503
        assert "is unloaded; load it first" in refused.error
        record = node.record(refused.record_id)
        assert (record.status, record.error) == (503, "model_unavailable")
    assert node.ask("GET", "/v2/models/m/ready").status == 503
    assert node.ask("GET", "/v2/models/other/ready").status == 200
    assert node.ask("GET", "/v2/health/ready").status == 200
    assert node.ask("GET", "/v2/models/m").status == 200
    job = node.ask("POST", "/v2/models/m/jobs", b'{"inputs": []}')
    assert [json.loads(line)["status"] for line in job.body.splitlines()[:1]] == [400]

    assert control(node, "load") == control(node, "load") == 200
    assert node.infer("m", x=INPUT).status == 200
    assert set(index(node).values()) == {"READY"}
    assert adds_up(node)


def test_a_model_unloaded_under_load_answers_each_request_well_or_with_503(node: Node) -> None:
    statuses: list[int] = []
    over = threading.Event()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
        given = {"name": "x", "datatype": "FP32", "shape": [1, 256], "data": [1.0] * 256}
        body = json.dumps({"inputs": [given]})
        while not over.is_set():
            connection.request("POST", "/v2/models/slow/infer", body)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            served = statuses.count(200)
            until(lambda served=served: statuses.count(200) > served + 10)  # type: ignore[misc]
            assert control(node, "unload", "slow") == 200
            refused = statuses.count(503)
            until(lambda refused=refused: statuses.count(503) > refused)  # type: ignore[misc]
            assert control(node, "load", "slow") == 200
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200, 503}
    assert adds_up(node)
    assert len(node.records()) == len(statuses)


def test_a_file_that_is_replaced_serves_when_it_is_loaded_and_nobody_notices_but_by_the_answers(
    repository: Path, tmp_path: Path
) -> None:
    files = {factor: onnx_models.multiplying(factor) for factor in (2, 3)}
    folder = save(repository, "changing", files[2], more="[response_cache]\nenable = true")

    def replace(factor: int) -> None:
        (folder / "next.onnx").write_bytes(files[factor])
        (folder / "next.onnx").replace(folder / "model.onnx")

    def factor_of(answer: Answer, sent: float) -> float:
        assert answer.status == 200
        [output] = answer.json["outputs"]
        factor: float = output["data"][0] / sent
        return factor

    def ask(node: Node, sent: float) -> float:
        return factor_of(node.infer("changing", x=("FP32", [1, 3], [sent, 0, 0])), sent)

    failures: list[object] = []
    over = threading.Event()

    def client(node: Node) -> None:
        count = 0
        while not over.is_set():
            count += 1
            # Half of them are answered from the cache.
            if ask(node, 1 + count // 2 % 50) not in files:
                failures.append(count)

    with running_node(tmp_path, repository, f"{METERING}[pools.cpu]\nworkers = 2\n") as node:
        threads = [threading.Thread(target=client, args=(node,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for factor in (3, 2, 3):
                asked = ask(node, 7)
                replace(factor)
                assert ask(node, 7) == asked != factor
                assert control(node, "load", "changing") == 200
                # From here on every answer is the new file's, also those that are kept.
                assert {ask(node, 1 + number % 50) for number in range(100)} == {factor}
            (folder / "model.onnx").write_bytes(b"no model")
            assert control(node, "load", "changing") == 503
            assert ask(node, 99) == 3
        finally:
            over.set()
            for thread in threads:
                thread.join()
        assert failures == []
        assert adds_up(node)
        assert {record.status for record in node.records()} == {200}


def test_what_cannot_be_done_is_refused_and_leaves_no_record(node: Node) -> None:
    for path, body, status in (
        ("models/nope/load", b"", 404),
        ("models/nope/unload", b"", 404),
        ("models/m/load", b"{", 400),
        ("models/m/load", b'{"parameters": {"config": "{}"}}', 400),
        ("models/m/unload", b'{"parameters": {"unload_dependents": true}}', 200),
        ("index", b"[]", 400),
        ("index", b'{"ready": "yes"}', 400),
    ):
        answer = node.ask("POST", f"/v2/repository/{path}", body)
        assert answer.status == status, (path, body)
        assert status == 200 or answer.error
    assert adds_up(node)
    assert node.records() == []


@pytest.fixture
def guarded(repository: Path, tmp_path: Path) -> Iterator[tuple[Node, dict[str, str]]]:
    """A node, and the tokens of an admin, of a tenant, and of one who may ask only `other`."""
    file = tmp_path / "tokens.toml"
    about: dict[str, dict[str, Any]] = {
        "admin": {"tenant": "ops", "admin": True},
        "tenant": {"tenant": "shop"},
        "narrow": {"tenant": "lab", "models": ["other"]},
    }
    tokens: dict[str, str] = {}
    with changed_tokens_file(file, create=True) as entries:
        for number, (name, more) in enumerate(about.items()):
            tokens[name] = new_token()
            digest = digest_of(tokens[name]).hex()
            entries.append(some_entry(number, sha256=digest, **more))
    config = f"{METERING}[access]\ntokens_file = '{file}'\n[serving]\ndefault_model = 'scores'\n"
    with running_node(tmp_path, repository, config) as node:
        yield node, tokens
        for token in tokens.values():
            assert token not in node.log()
            assert token.encode() not in b"".join(p.read_bytes() for p in node.spool.glob("*/*/*"))


# Method, path, and the status for: nobody, a tenant, one who may ask only `other`, an admin.
PATHS = [
    ("GET", "/v2/health/live", 200, 200, 200, 200),
    ("HEAD", "/v2/health/ready", 200, 200, 200, 200),
    ("GET", "/v2", 401, 200, 200, 200),
    ("GET", "/metrics", 401, 200, 200, 200),
    ("GET", "/openapi.json", 401, 200, 200, 200),
    ("GET", "/v2/models/m/ready", 401, 200, 403, 200),
    ("GET", "/v2/models/m/stats", 401, 200, 403, 200),
    ("GET", "/v2/models/other", 401, 200, 200, 200),
    ("GET", "/v2/models/stats", 401, 200, 200, 200),
    ("GET", "/v2/logging", 401, 200, 200, 200),
    ("POST", "/v2/logging", 401, 403, 403, 200),
    ("GET", "/v2/trace/setting", 401, 200, 200, 200),
    ("POST", "/v2/trace/setting", 401, 403, 403, 200),
    ("GET", "/v2/models/m/trace/setting", 401, 200, 403, 200),
    ("POST", "/v2/models/m/trace/setting", 401, 403, 403, 200),
    ("GET", "/v2/systemsharedmemory/status", 401, 403, 403, 200),
    ("POST", "/v2/systemsharedmemory/unregister", 401, 403, 403, 200),
    ("POST", "/v2/cudasharedmemory/region/r/register", 401, 403, 403, 400),
    ("POST", "/v2/repository/index", 401, 200, 200, 200),
    ("POST", "/v2/repository/models/nope/load", 401, 403, 403, 404),
    ("POST", "/v2/repository/models/m/load", 401, 403, 403, 200),
    ("POST", "/v2/repository/models/m/unload", 401, 403, 403, 200),
    ("POST", "/v2/models/m/infer", 401, 400, 403, 400),
    ("POST", "/v2/models/other/infer", 401, 400, 400, 400),
    ("POST", "/v2/models/nope/infer", 401, 404, 403, 404),
    ("POST", "/v2/models/nope/jobs", 401, 404, 403, 404),
    ("POST", "/predict", 401, 400, 403, 400),
    ("POST", "/predict?model=nope", 401, 404, 403, 404),
]


def test_who_may_ask_what(guarded: tuple[Node, dict[str, str]]) -> None:
    node, tokens = guarded
    tenants: dict[str, str] = {}
    for who, column, tenant in (
        ("nobody", 0, "default"),
        ("stranger", 0, "default"),
        ("tenant", 1, "shop"),
        ("narrow", 2, "lab"),
        ("admin", 3, "ops"),
    ):
        headers = {}
        if who != "nobody":
            headers["authorization"] = f"Bearer {tokens.get(who, new_token())}"
        for method, path, *statuses in PATHS:
            body = b"x" if path.endswith("infer") or "predict" in path else None
            answer = node.ask(method, path, body, headers)
            assert answer.status == statuses[column], (who, method, path)
            asked_for_one = answer.headers.get("www-authenticate") == "Bearer"
            assert asked_for_one == (answer.status == 401)
            if answer.status in (401, 403):
                assert answer.error
            if "x-record-id" in answer.headers:
                tenants[answer.record_id] = tenant
    assert adds_up(node)
    assert {record.record_id: record.tenant for record in node.records()} == tenants
    assert len(tenants) == 5 * 6


def test_who_may_not_ask_is_told_so_before_the_body_is_sent(
    guarded: tuple[Node, dict[str, str]],
) -> None:
    node, tokens = guarded
    for path in ("/v2/models/m/infer", "/v2/models/m/jobs", "/predict"):
        for token, status in (("unknown", 401), (tokens["narrow"], 403)):
            with node.connect() as connection:
                connection.sendall(
                    f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
                    "content-length: 1000000\r\n\r\n".encode()
                )
                answer = node.answer(connection)
            assert answer.status == status
            assert node.record(answer.record_id).request_bytes == 0
