"""A node that asks for tokens, and what its log says of those who come with none."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference_node.access.tokens_file import (
    changed_tokens_file,
    digest_of,
    new_token,
)
from tests.integration.node_process import Node, failed_start, running_node, until
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
