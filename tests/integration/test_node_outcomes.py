"""Whatever becomes of a request to a model, exactly one record says so."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from inference_node.access.tokens_file import changed_tokens_file, digest_of, new_token
from tests.integration.long_execution import LONG, begun, body_for, looping, metric, sent, tensor
from tests.integration.node_process import Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.access.test_token_command import some_entry
from tests.unit.inference_node.onnx_models import save
from usage import UsageRecord

QUICK, FRAGILE = "/v2/models/quick/infer", "/v2/models/fragile/infer"
GOOD = tensor("FP32", [1, 3], [1, 2, 3])
MOST_BODY_BYTES = 10_000
CONFIG = f"""
[serving]
max_body_bytes = {MOST_BODY_BYTES}
max_queue_size = 1
max_concurrent_requests = 3
body_timeout_seconds = 0.5
drain_seconds = 30
[access]
tokens_file = "%s"
"""

Outcome = tuple[int, str | None]


class Caller:
    """Fires requests at a node and remembers what should be on record of each.

    A request is known by the record id of its answer, one without an answer by its label.
    """

    def __init__(self, node: Node, token: str) -> None:
        self.node = node
        self.token = {"authorization": f"Bearer {token}"}
        self.answered: dict[str, Outcome] = {}
        self.unanswered: dict[str, Outcome] = {}

    def ask(
        self,
        status: int,
        code: str | None,
        path: str,
        body: bytes = GOOD,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send a request whose answer is to be this one."""
        answer = self.node.ask("POST", path, body, self.token if headers is None else headers)
        assert answer.status == status, answer.body
        self.answered[answer.record_id] = (status, code)

    def take(self, connection: socket.socket, status: int, code: str | None) -> None:
        """Read the answer to what was sent by hand."""
        answer = self.node.answer(connection)
        assert answer.status == status, answer.body
        self.answered[answer.record_id] = (status, code)

    def leaving(self, name: str) -> dict[str, str]:
        """Return the headers of a request whose client will not wait for its answer."""
        self.unanswered[name] = (499, "client_gone")
        return {**self.token, "x-labels": f"case={name}"}


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    repository, tokens_file, token = tmp_path / "models", tmp_path / "tokens.toml", new_token()
    save(repository, "quick", onnx_models.doubling(), max_batch_size=1)
    save(repository, "fragile", onnx_models.fragile())
    save(repository, "hidden", onnx_models.doubling())
    save(repository, "away", onnx_models.doubling())
    save(repository, "long", looping(), max_batch_size=1)
    models = ["quick", "fragile", "away", "long", "nope"]
    with changed_tokens_file(tokens_file, create=True) as entries:
        digest = digest_of(token).hex()
        entries.append(some_entry(1, sha256=digest, models=models, admin=True))
    with running_node(tmp_path, repository, CONFIG % tokens_file) as node:
        yield Caller(node, token)


def label_of(record: UsageRecord) -> str:
    return record.labels["case"]


def reset(connection: socket.socket) -> None:
    """Close so that the other side sees a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def fire_what_needs_no_worker(caller: Caller) -> None:
    caller.ask(200, None, QUICK)
    caller.ask(401, "unauthorized", QUICK, headers={})
    caller.ask(403, "forbidden", "/v2/models/hidden/infer")
    caller.ask(404, "unknown_model", "/v2/models/nope/infer")
    caller.ask(400, "invalid_request", QUICK, b"{")
    caller.ask(400, "invalid_request", QUICK, tensor("FP32", [1, 4], [1, 2, 3, 4]))
    caller.ask(413, "body_too_large", QUICK, GOOD.ljust(MOST_BODY_BYTES + 1))
    odd = {**caller.token, "content-encoding": "morse"}
    caller.ask(415, "content_coding", QUICK, headers=odd)
    caller.ask(415, "content_coding", "/v2/models/quick/jobs", headers=odd)
    caller.ask(500, "execution_failed", FRAGILE, tensor("INT64", [1], [9]))
    assert (
        caller.node.ask("POST", "/v2/repository/models/away/unload", b"", caller.token).status
        == 200
    )
    caller.ask(503, "model_unavailable", "/v2/models/away/infer")
    with sent(caller.node, QUICK, GOOD[:10], caller.token, more=10) as slow:
        caller.take(slow, 408, "request_timeout")
    chunked = {**caller.token, "transfer-encoding": "chunked"}
    with caller.node.connect() as garbled:
        lines = "".join(f"{name}: {text}\r\n" for name, text in chunked.items())
        garbled.sendall(f"POST {QUICK} HTTP/1.1\r\nhost: x\r\n{lines}\r\nno size\r\n".encode())
        caller.take(garbled, 400, "invalid_request")
    sent(caller.node, QUICK, GOOD[:10], caller.leaving("closed amid its body"), more=10).close()
    reset(sent(caller.node, QUICK, GOOD[:10], caller.leaving("reset amid its body"), more=10))


def fire_while_the_worker_executes(caller: Caller) -> None:
    node, token = caller.node, caller.token
    body = body_for(node, 5, token)
    caller.answered[node.records()[-1].record_id] = (200, None)
    with begun(node, body, caller.leaving("while it is executed")):
        asked = json.loads(GOOD)
        late = json.dumps({**asked, "parameters": {"timeout": 1000}}).encode()
        caller.ask(503, "queue_timeout", QUICK, late)
        with sent(node, QUICK, GOOD, caller.leaving("while it waits")):
            until(lambda: metric(node, b'inference_queue_depth{pool="cpu"} 1.0', token))
            caller.ask(503, "queue_full", QUICK)
            with sent(node, QUICK, GOOD[:10], caller.leaving("closed when busy"), more=10):
                until(lambda: metric(node, b"inference_requests_in_progress 3.0", token))
                caller.ask(503, "busy", QUICK)
        assert metric(node, b'inference_workers_busy{pool="cpu"} 1.0', token)
    until(lambda: metric(node, b"inference_requests_in_progress 0.0", token))


def fire_a_job(caller: Caller) -> None:
    bad = tensor("FP32", [1, 4], [1, 2, 3, 4])
    answer = caller.node.ask(
        "POST", "/v2/models/quick/jobs", b"\n".join([GOOD, bad, b"{"]), caller.token
    )
    *results, summary = map(json.loads, answer.body.splitlines())
    assert summary == {"lines": 3, "succeeded": 1, "failed": 2}
    for result in results:
        good = "error" not in result
        outcome = (200, None) if good else (400, "invalid_request")
        caller.answered[result["record_id"]] = outcome


def test_every_request_to_a_model_has_one_record_and_it_says_what_became_of_it(
    caller: Caller,
) -> None:
    node = caller.node
    fire_what_needs_no_worker(caller)
    fire_a_job(caller)
    fire_while_the_worker_executes(caller)
    with ExitStack() as stack:
        # Its body's time is up before that of the node is.
        endless = stack.enter_context(sent(node, LONG, b"{", caller.token, more=1))
        assert node.stop() == 0
        caller.take(endless, 408, "request_timeout")

    records = node.records()
    outcomes = {r.record_id: (r.status, r.error) for r in records if r.record_id in caller.answered}
    assert outcomes == caller.answered
    others = [record for record in records if record.record_id not in caller.answered]
    assert {label_of(r): (r.status, r.error) for r in others} == caller.unanswered
    assert len(records) == len(caller.answered) + len(caller.unanswered)
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    # Machine time is on record whether or not somebody was there to read the answer.
    executed = {label_of(r): r.compute_us > 0 for r in others}
    assert [name for name, was in executed.items() if was] == ["while it is executed"]
    shares = {r.batch_id: r.compute_us for r in records if r.batch_id is not None}
    assert sum(sample.busy_us for sample in node.samples()) == sum(shares.values())
