"""A node that is asked to stop: every request it took is answered and on record, then it ends."""

import json
import signal
import subprocess
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.closed_loop import Question, closed_loop
from tests.integration.long_execution import (
    LONG,
    begun,
    body_for,
    looping,
    metric,
    sent,
    tensor,
)
from tests.integration.node_process import PATIENCE_S, ROOT, SERVE, Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import save

SLOW, QUICK = "/v2/models/slow/infer", "/v2/models/quick/infer"


ONE_SLOW = tensor("FP32", [1, 256], [1] * 256)
ONE_QUICK = tensor("FP32", [1, 3], [1, 2, 3])


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "slow", onnx_models.slow(), max_batch_size=4, delay_us=1000)
    save(folder, "quick", onnx_models.doubling(), max_batch_size=32)
    save(folder, "long", looping(), max_batch_size=1)
    return folder


def require_whole(node: Node) -> None:
    """Nothing in the spool is torn, and the sequence has no gap."""
    for path in node.spool.glob("*/*/*.ndjson"):
        assert path.read_bytes().endswith(b"\n")
    assert [record.seq for record in node.records()] == list(range(1, len(node.records()) + 1))


def require_complete(node: Node) -> None:
    """All that, and every microsecond of execution is on some record."""
    require_whole(node)
    executed = {r.batch_id: r.compute_us for r in node.records() if r.batch_id is not None}
    assert sum(sample.busy_us for sample in node.samples()) == sum(executed.values())
    assert "stopped; every record is in the spool" in node.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("question", [Question(SLOW, ONE_SLOW), Question(QUICK, ONE_QUICK)])
def test_under_load_every_request_that_was_sent_is_answered_and_every_answer_is_on_record(
    tmp_path: Path, repository: Path, question: Question, number: signal.Signals
) -> None:
    with running_node(tmp_path, repository) as node, closed_loop(node, lambda _: question) as load:
        node.process.send_signal(number)
        assert node.wait() == 0
    assert load.broken == []
    assert {answer.status for answer in load.answers} == {200}
    assert sorted(r.record_id for r in node.records()) == load.record_ids()
    require_complete(node)


def test_impatience_changes_nothing(tmp_path: Path, repository: Path) -> None:
    question = Question(SLOW, ONE_SLOW)
    with running_node(tmp_path, repository) as node, closed_loop(node, lambda _: question) as load:
        while node.process.poll() is None:
            node.process.send_signal(signal.SIGTERM)
            node.process.send_signal(signal.SIGINT)
        assert node.wait() == 0
    assert load.broken == []
    assert sorted(r.record_id for r in node.records()) == load.record_ids()
    require_complete(node)


def test_connections_that_idle_are_ended(tmp_path: Path, repository: Path) -> None:
    with running_node(tmp_path, repository) as node, node.connect() as idle:
        idle.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        assert node.answer(idle).status == 200
        assert node.stop() == 0
        assert idle.recv(4096) == b""


def test_a_node_that_still_loads_its_models_ends_at_once_and_leaves_nothing(
    tmp_path: Path, repository: Path
) -> None:
    log = tmp_path / "node.log"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [
                *SERVE, "--model-repository", str(repository), "--spool", str(tmp_path / "spool"),
                "--port", "0",
            ],
            stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=ROOT,
        )  # fmt: skip
    until(lambda: "device cpu is the cpu" in log.read_text())
    process.terminate()
    printed, _ = process.communicate(timeout=PATIENCE_S)
    # Where it was quicker than we were, it served and stopped like any other.
    assert process.returncode in (-signal.SIGTERM, 0)
    assert (process.returncode == 0) == printed.startswith("serving on http")
    assert "Traceback" not in log.read_text()
    if process.returncode:
        assert not (tmp_path / "spool").exists()


def test_a_body_that_never_ends_is_waited_for_until_the_time_is_up_and_then_told_so(
    tmp_path: Path, repository: Path
) -> None:
    config = "[serving]\ndrain_seconds = 0.3"
    with running_node(tmp_path, repository, config) as node, node.connect() as endless:
        endless.sendall(
            b"POST %b HTTP/1.1\r\nhost: x\r\nx-tenant: endless\r\ncontent-length: 10\r\n\r\n{"
            % SLOW.encode()
        )
        assert node.ask("POST", SLOW, ONE_SLOW).status == 200
        assert node.stop() == 0
        answer = node.answer(endless)
        assert answer.status == 503
        assert answer.headers["connection"] == "close"
        assert answer.error == "the node is stopping; ask another one"
    [_, record] = node.records()
    assert (record.record_id, record.seq) == (answer.record_id, 2)
    assert (record.status, record.error, record.tenant) == (503, "node_stopping", "endless")
    assert (record.model, record.request_bytes, record.batch_id) == ("slow", 1, None)
    require_complete(node)


def test_requests_that_wait_are_served_while_there_is_time_and_refused_when_it_is_up(
    tmp_path: Path, repository: Path
) -> None:
    config = "[serving]\ndrain_seconds = 0.5\n[models.slow.batching]\nmax_batch_size = 1"
    with running_node(tmp_path, repository, config) as node, ExitStack() as stack:
        waiting = [stack.enter_context(node.connect()) for _ in range(400)]
        head = f"POST {SLOW} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(ONE_SLOW)}\r\n\r\n"
        for connection in waiting:
            connection.sendall(head.encode() + ONE_SLOW)
        until(lambda: node.records())
        node.ask_to_stop()
        answers = [node.answer(connection) for connection in waiting]
        assert node.wait() == 0
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {200, 503}
    assert statuses[200]
    outcomes = {record.record_id: (record.status, record.error) for record in node.records()}
    assert outcomes == {
        answer.record_id: (200, None) if answer.status == 200 else (503, "node_stopping")
        for answer in answers
    }
    assert len(node.records()) == 400
    require_complete(node)


@pytest.mark.parametrize("cache", ["", "[models.long.response_cache]\nenable = true"])
def test_an_execution_that_does_not_end_in_time_is_cut_off_and_its_record_says_so(
    tmp_path: Path, repository: Path, cache: str
) -> None:
    config = f"[serving]\ndrain_seconds = 0.1\n{cache}"
    with running_node(tmp_path, repository, config) as node:
        with begun(node, body_for(node, 8)) as stuck:
            node.ask_to_stop()
            answer = node.answer(stuck)
            assert node.process.poll() is None  # the worker has not ended
        assert answer.status == 503
        assert answer.error == "the node is stopping; ask another one"
        assert node.process.wait(3 * PATIENCE_S) == 0
    record = node.records()[-1]
    assert record.record_id == answer.record_id
    assert (record.status, record.error) == (503, "node_stopping")
    # What the machine did for it until then is its own.
    assert (record.batch_size, record.cache) == (1, "miss" if cache else "bypass")
    assert record.compute_us > 1_000_000
    require_complete(node)


def test_an_execution_for_nobody_that_does_not_end_in_time_is_on_record_until_then(
    tmp_path: Path, repository: Path
) -> None:
    config = "[serving]\ndrain_seconds = 0.1"
    with running_node(tmp_path, repository, config) as node:
        begun(node, body_for(node, 8)).close()
        node.ask_to_stop()
        assert node.process.wait(3 * PATIENCE_S) == 0
    record = node.records()[-1]
    assert (record.status, record.error) == (499, "client_gone")
    assert record.compute_us > 50_000
    require_complete(node)


def test_a_shadow_that_does_not_end_in_time_does_not_hold_up_the_stop(
    tmp_path: Path, repository: Path
) -> None:
    models = tmp_path / "models"
    for version in ("1", "2"):
        save(models, "long", looping(), version=version, max_batch_size=1)
    config = "[pools.cpu]\nworkers = 2\n[models.long]\ndefault_version = '1'\n"
    config += "[models.long.shadow]\nversion = '2'\n[serving]\ndrain_seconds = 0.1"
    with running_node(tmp_path, models, config) as node, sent(node, LONG, body_for(node, 20)):
        until(lambda: metric(node, b'inference_workers_busy{pool="cpu"} 2.0'))
        node.ask_to_stop()
        assert node.process.wait(3 * PATIENCE_S) == 0
    cut = {record.route: record for record in node.records() if record.status == 503}
    assert set(cut) == {"direct", "shadow"}
    assert all(record.compute_us > 1_000_000 for record in cut.values())
    require_complete(node)


def test_an_execution_whose_client_has_gone_is_on_record_before_the_node_ends(
    tmp_path: Path, repository: Path
) -> None:
    with running_node(tmp_path, repository) as node:
        begun(node, body_for(node, 1)).close()
        assert node.stop() == 0
    [_, record] = node.records()
    assert (record.status, record.error) == (499, "client_gone")
    assert record.compute_us > 0
    require_complete(node)


def job_of(lines: int, body: bytes) -> tuple[bytes, bytes]:
    """Return the head of a chunked job and `lines` of it as one chunk."""
    text = (body + b"\n") * lines
    head = b"POST /v2/models/slow/jobs HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return head, b"%x\r\n%b\r\n" % (len(text), text)


def test_a_job_that_ends_in_time_is_answered_whole(tmp_path: Path, repository: Path) -> None:
    head, lines = job_of(50, ONE_SLOW)
    with running_node(tmp_path, repository) as node, node.connect() as job:
        job.sendall(head + lines)
        until(lambda: node.records())
        node.ask_to_stop()
        job.sendall(lines + b"0\r\n\r\n")
        answer = node.answer(job)
        assert node.wait() == 0
    *results, summary = map(json.loads, answer.body.splitlines())
    assert summary == {"lines": 100, "succeeded": 100, "failed": 0}
    assert sorted(result["record_id"] for result in results) == sorted(
        record.record_id for record in node.records()
    )
    require_complete(node)


def test_a_job_that_is_cut_off_has_a_record_for_every_line_that_was_begun(
    tmp_path: Path, repository: Path
) -> None:
    head, lines = job_of(20, ONE_SLOW)
    config = "[serving]\ndrain_seconds = 0.3"
    with running_node(tmp_path, repository, config) as node, node.connect() as job:
        job.sendall(head + lines)
        until(lambda: len(node.records()) == 20)
        node.ask_to_stop()
        received = b""
        while part := job.recv(65536):
            received += part
        assert node.wait() == 0
    assert not received.endswith(b"\r\n0\r\n\r\n")
    records = {record.record_id: record for record in node.records()}
    assert len(records) == 20
    for record_id, record in records.items():
        assert record.status == 200
        assert record_id.encode() in received
    require_complete(node)
