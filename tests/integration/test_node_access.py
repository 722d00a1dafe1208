"""A node that asks for tokens, and what its log says of those who come with none."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_node.access.tokens_file import (
    changed_tokens_file,
    digest_of,
    new_token,
)
from tests.integration.node_process import Node, failed_start, running_node, until
from tests.shared_memory_object import shared_memory_object
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.access.test_token_command import some_entry
from tests.unit.inference_node.onnx_models import save

INPUT = ("FP32", [1, 3], [1, 2, 3])


@pytest.fixture
def tokens_file(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def add(tokens_file: Path, number: int, **more: object) -> str:
    token = new_token()
    with changed_tokens_file(tokens_file, create=True) as entries:
        entries.append(some_entry(number, sha256=digest_of(token).hex(), **more))
    return token


def bearer(token: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", **more}


@pytest.fixture
def guarded(tmp_path: Path, tokens_file: Path) -> Iterator[tuple[Node, str]]:
    """A node, and a token of tenant `search`."""
    token = add(tokens_file, 1, tenant="search")
    save(tmp_path / "models", "m", onnx_models.doubling())
    config = f"[access]\ntokens_file = '{tokens_file}'\n[logging]\nformat = 'json'\n"
    with running_node(tmp_path, tmp_path / "models", config) as node:
        yield node, token
        assert token not in node.log()


def test_only_who_brings_a_token_is_served_and_as_its_tenant(guarded: tuple[Node, str]) -> None:
    node, token = guarded
    for headers in ({}, bearer(token[:-1]), bearer(""), {"authorization": f"Basic {token}"}):
        answer = node.infer("m", headers, x=INPUT)
        assert answer.status == 401
        assert token not in answer.error
    assert node.ask("GET", "/v2/models/m").status == 401
    assert node.ask("GET", "/v2/health/live").status == 200
    served = node.infer("m", bearer(token), x=INPUT)
    assert served.status == 200
    assert node.record(served.record_id).tenant == "search"
    posing = node.infer("m", bearer(token, **{"x-tenant": "shop"}), x=INPUT)
    assert posing.status == 403
    record = node.record(posing.record_id)
    assert (record.tenant, record.error) == ("search", "forbidden")


def test_a_token_counts_from_when_it_is_made_until_it_is_revoked(
    guarded: tuple[Node, str], tokens_file: Path
) -> None:
    node, token = guarded
    other = add(tokens_file, 2, models=["another"])
    until(lambda: node.infer("m", bearer(other), x=INPUT).status == 403)
    with changed_tokens_file(tokens_file) as entries:
        entries[:] = [entry for entry in entries if entry.id != "t1"]
    until(lambda: node.infer("m", bearer(token), x=INPUT).status == 401)


def test_a_token_for_some_models_sees_no_others(
    guarded: tuple[Node, str], tokens_file: Path
) -> None:
    node, token = guarded
    other = add(tokens_file, 2, models=["another"], admin=True)
    until(lambda: node.ask("GET", "/v2", headers=bearer(other)).status == 200)
    for method, path in (
        ("GET", ""),
        ("GET", "/config"),
        ("GET", "/ready"),
        ("GET", "/stats"),
        ("GET", "/trace/setting"),
    ):
        asked = f"/v2/models/m{path}"
        assert node.ask(method, asked, headers=bearer(token)).status == 200
        answer = node.ask(method, asked, headers=bearer(other))
        assert answer.status == 403
        assert "may not ask model 'm'" in answer.error
    assert node.ask("POST", "/v2/repository/models/m/unload", headers=bearer(other)).status == 403
    for path in ("/v2/repository/index", "/v2/models/stats"):
        method = "POST" if path.endswith("index") else "GET"
        assert '"m"' in node.ask(method, path, headers=bearer(token)).body.decode()
        assert '"m"' not in node.ask(method, path, headers=bearer(other)).body.decode()


def test_only_an_administrator_changes_settings_and_uses_shared_memory(
    guarded: tuple[Node, str], tokens_file: Path
) -> None:
    node, token = guarded
    admin = add(tokens_file, 2, admin=True)
    until(lambda: node.ask("GET", "/v2", headers=bearer(admin)).status == 200)
    assert node.ask("GET", "/v2/logging", headers=bearer(token)).status == 200
    assert node.ask("GET", "/v2/trace/setting", headers=bearer(token)).status == 200
    memory = "/v2/systemsharedmemory"
    with shared_memory_object(24) as (name, content):
        register = json.dumps({"key": name, "byte_size": 24}).encode()
        for method, path, body in (
            ("POST", "/v2/logging", b'{"log_verbose_level": 0}'),
            ("POST", "/v2/trace/setting", b"{}"),
            ("POST", "/v2/models/m/trace/setting", b"{}"),
            ("POST", f"{memory}/region/r/register", register),
            ("GET", f"{memory}/status", b""),
            ("GET", "/v2/cudasharedmemory/status", b""),
        ):
            assert node.ask(method, path, body).status == 401
            refused = node.ask(method, path, body, headers=bearer(token))
            assert refused.status == 403
            assert "takes an administrator's" in refused.error
            assert node.ask(method, path, body, headers=bearer(admin)).status == 200
        place = {"shared_memory_region": "r", "shared_memory_byte_size": 12}
        content[:12] = struct.pack("<3f", 1, 2, 3)
        x = {"name": "x", "shape": [1, 3], "datatype": "FP32"}
        whole = {**x, "data": [4, 5, 6]}
        asked = [
            {"inputs": [{**x, "parameters": place}]},
            {"inputs": [whole], "outputs": [{"name": "y", "parameters": place}]},
        ]
        for request in asked:
            body = json.dumps(request).encode()
            refused = node.ask("POST", "/v2/models/m/infer", body, headers=bearer(token))
            assert refused.status == 403
            assert "only an administrator's token may use shared memory" in refused.error
            assert node.record(refused.record_id).error == "forbidden"
            assert struct.unpack("<3f", content[:12]) == (1, 2, 3)
            done = node.ask("POST", "/v2/models/m/infer", body, headers=bearer(admin))
            assert done.status == 200
        assert struct.unpack("<3f", content[:12]) == (8, 10, 12)
        # A job is read when there is time, by a process of its own: it brings what it asks.
        lines = b"\n".join(json.dumps(request).encode() for request in asked)
        job = node.ask("POST", "/v2/models/m/jobs", lines, headers=bearer(admin))
        answers = [json.loads(line) for line in job.body.splitlines()]
        assert [answer.get("status") for answer in answers] == [400, 400, None]
        assert "shared memory cannot be used here" in answers[0]["error"]
        assert node.ask("POST", f"{memory}/unregister", headers=bearer(token)).status == 403
        assert node.ask("POST", f"{memory}/unregister", headers=bearer(admin)).status == 200


@pytest.mark.parametrize("access", ["shared_memory = false", "allow_anonymous = true"])
def test_a_node_shares_memory_only_where_it_is_let_and_its_clients_are_on_this_machine(
    tmp_path: Path, access: str
) -> None:
    save(tmp_path / "models", "m", onnx_models.doubling())
    with running_node(tmp_path, tmp_path / "models", f"[access]\n{access}\n") as node:
        body = b'{"key": "x", "byte_size": 1}'
        refused = node.ask("POST", "/v2/systemsharedmemory/region/r/register", body)
        assert refused.status == 403
        assert "access.shared_memory = true" in refused.error


def test_every_line_of_the_log_is_json(guarded: tuple[Node, str]) -> None:
    node, token = guarded
    node.infer("m", bearer(token, **{"x-request-id": "a b"}), x=INPUT)
    assert node.stop() == 0
    events = [json.loads(line) for line in node.log().splitlines()]
    assert events[-1]["message"] == "stopped; every record is in the spool"
    assert all({"ts", "level", "logger", "message"} <= event.keys() for event in events)


def test_other_addresses_are_not_served_without_tokens(tmp_path: Path) -> None:
    save(tmp_path / "models", "m", onnx_models.doubling())
    process = failed_start(
        "--model-repository", str(tmp_path / "models"), "--spool", str(tmp_path / "spool"),
        "--host", "0.0.0.0", "--port", "0",
    )  # fmt: skip
    assert process.returncode == 2
    [line] = process.stderr.splitlines()
    assert "access.tokens_file" in line
