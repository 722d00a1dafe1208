"""Offline jobs on a real node: many lines of any kind, answers as they come, records of all."""

import http.client
import json
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.accounting import adds_up
from tests.integration.node_process import Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import save

LIMIT = 20_000
LINES = 100_000
CONFIG = f"""
[serving]
max_body_bytes = {LIMIT}
drain_seconds = 0.2
[metering]
sample_interval_seconds = 0.05
"""
IMPATIENT = CONFIG.replace("[serving]", "[serving]\nbody_timeout_seconds = 1.0")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "doubling", onnx_models.doubling(), max_batch_size=64)
    save(folder, "slow", onnx_models.slow(), max_batch_size=1)
    save(folder, "any", onnx_models.any_length(), max_batch_size=64)
    return folder


@pytest.fixture
def node(repository: Path, tmp_path: Path) -> Iterator[Node]:
    with running_node(tmp_path, repository, CONFIG) as node:
        yield node


@pytest.fixture
def impatient_node(repository: Path, tmp_path: Path) -> Iterator[Node]:
    with running_node(tmp_path, repository, IMPATIENT) as node:
        yield node


def line(value: float, width: int = 3) -> bytes:
    given = {"name": "x", "datatype": "FP32", "shape": [1, width], "data": [value] * width}
    return json.dumps({"inputs": [given]}).encode()


def lines_of(body: bytes) -> list[Any]:
    return [json.loads(text) for text in body.splitlines()]


class Job:
    """A job whose body is sent by hand, in chunks, while its answer is read."""

    def __init__(self, connection: socket.socket, model: str, *headers: bytes) -> None:
        self.connection = connection
        self._response = http.client.HTTPResponse(connection)
        connection.sendall(
            b"POST /v2/models/%b/jobs HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n%b\r\n"
            % (model.encode(), b"".join(header + b"\r\n" for header in headers))
        )

    def send(self, part: bytes) -> None:
        self.connection.sendall(b"%x\r\n%b\r\n" % (len(part), part))

    def end(self) -> None:
        self.connection.sendall(b"0\r\n\r\n")

    def close(self) -> None:
        self._response.close()

    def begin(self) -> None:
        """Read the head of the answer."""
        self._response.begin()
        assert self._response.status == 200
        assert self._response.headers["content-type"] == "application/x-ndjson"

    def answer(self) -> Any:
        """Read the next line of the answer."""
        return json.loads(self._response.readline())


@contextmanager
def job(node: Node, model: str, *headers: bytes) -> Iterator[Job]:
    with node.connect() as connection:
        asked = Job(connection, model, *headers)
        try:
            yield asked
        finally:
            asked.close()


def test_good_bad_empty_and_endless_lines_are_each_answered_under_their_number(
    node: Node,
) -> None:
    body = b"\r\n".join([line(1), b"", b"nonsense", b" ", b"x" * (LIMIT + 1), line(2), line(3)])
    answer = node.ask("POST", "/v2/models/doubling/jobs", body, {"x-tenant": "shop"})
    assert answer.status == 200
    *answers, summary = lines_of(answer.body)
    assert summary == {"lines": 5, "succeeded": 3, "failed": 2}
    by_number = {one["line"]: one for one in answers}
    assert by_number.keys() == {1, 3, 5, 6, 7}
    assert [by_number[n]["outputs"][0]["data"][0] for n in (1, 6, 7)] == [2, 4, 6]
    assert (by_number[3]["status"], by_number[5]["status"]) == (400, 413)
    assert "infer request" in by_number[3]["error"]
    assert adds_up(node)
    records = {record.record_id: record for record in node.records()}
    assert records.keys() == {one["record_id"] for one in answers}
    for one in answers:
        record = records[one["record_id"]]
        assert record.status == one.get("status", 200)
        assert (record.tenant, record.priority) == ("shop", "batch")


def test_long_lines_are_answered_as_short_ones_are_also_when_who_parses_them_dies(
    node: Node,
) -> None:
    good = line(1.5, 2000)
    bad = [
        good.replace(b'"x"', b'"z"'),
        good.replace(b"FP32", b"INT8"),
        good.replace(b"1.5]", b'"a"]'),
        good.replace(b"2000", b"1999"),
        good[:-1],
    ]
    assert all(len(text) > 8000 for text in (good, *bad))
    with job(node, "any") as asked:
        asked.send(b"\n".join([good, *bad, good]) + b"\n")
        asked.begin()
        answers = sorted((asked.answer() for _ in range(7)), key=lambda one: int(one["line"]))
        assert [one.get("status", 200) for one in answers] == [200, *[400] * 5, 200]
        assert answers[0]["outputs"][0]["data"] == [1.5] * 2000
        for child in psutil.Process(node.process.pid).children():
            child.kill()
        for number in range(8, 11):
            asked.send(good + b"\n")
            assert asked.answer()["line"] == number
        asked.end()
        assert asked.answer() == {"lines": 10, "succeeded": 5, "failed": 5}
    assert adds_up(node)
    assert len(node.records()) == 10


def test_answers_come_while_lines_are_still_sent_and_whoever_takes_his_time_may(
    impatient_node: Node,
) -> None:
    with job(impatient_node, "doubling") as asked:
        asked.begin()
        for number in range(1, 8):  # each pause is within the limit, all together are not
            asked.send(line(number)[:20])
            asked.send(line(number)[20:] + b"\n")
            assert asked.answer()["line"] == number
            threading.Event().wait(0.25)
        asked.end()
        assert asked.answer() == {"lines": 7, "succeeded": 7, "failed": 0}


def test_a_client_that_sends_nothing_more_gets_what_is_done_and_is_told_why_it_ends(
    impatient_node: Node,
) -> None:
    with job(impatient_node, "doubling") as asked:
        asked.send(line(1) + b"\n" + line(2))
        asked.begin()
        assert asked.answer()["line"] == 1
        last = asked.answer()
        assert (last["status"], last["error"]) == (
            408,
            "after line 1: the body took longer than 1.0 s",
        )


def test_a_client_that_waits_for_its_answers_is_not_to_blame_for_the_time_they_take(
    repository: Path, tmp_path: Path
) -> None:
    config = IMPATIENT.replace("1.0", "0.3")
    with running_node(tmp_path, repository, config) as node, job(node, "slow") as asked:
        asked.send(b"\n".join([line(1, 256)] * 40) + b"\n")
        asked.begin()
        numbers = {asked.answer()["line"]}
        # A node that stands still for longer than a client may.
        node.process.send_signal(signal.SIGSTOP)
        threading.Event().wait(0.6)
        node.process.send_signal(signal.SIGCONT)
        numbers |= {asked.answer()["line"] for _ in range(39)}
        assert numbers == set(range(1, 41))
        asked.send(line(1, 256) + b"\n")
        assert asked.answer()["line"] == 41
        asked.end()
        assert asked.answer()["succeeded"] == 41


def test_the_word_to_send_the_body_comes_before_the_answer(node: Node) -> None:
    with job(node, "doubling", b"expect: 100-continue") as asked:
        word = asked.connection.recv(len(b"HTTP/1.1 100 Continue\r\n\r\n"))
        assert word == b"HTTP/1.1 100 Continue\r\n\r\n"
        asked.begin()
        asked.send(line(1))
        asked.end()
        assert asked.answer()["line"] == 1


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("nope/jobs", {}, 404),
        ("doubling/versions/7/jobs", {}, 404),
        ("doubling/jobs", {"content-encoding": "gzip"}, 415),
        ("doubling/jobs", {"x-priority": "soon"}, 400),
    ],
)
def test_a_job_that_cannot_be_done_is_refused_as_a_whole_and_the_connection_goes_on(
    node: Node, path: str, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=20)
    connection.request("POST", f"/v2/models/{path}", line(1), headers)
    refused = connection.getresponse()
    assert refused.status == status
    assert list(json.loads(refused.read())) == ["error"]
    connection.request("GET", "/v2/health/ready")
    assert connection.getresponse().read() == b""
    connection.close()
    assert node.record(refused.headers["x-record-id"]).status == status
    assert len(node.records()) == 1


def in_progress(node: Node) -> float:
    text = node.ask("GET", "/metrics").body.decode()
    [found] = [at for at in text.splitlines() if at.startswith("inference_requests_in_progress ")]
    return float(found.split()[1])


@pytest.mark.parametrize("ended", [True, False])
def test_a_client_that_leaves_ends_its_job_and_what_was_begun_is_on_record(
    node: Node, ended: bool
) -> None:
    with job(node, "slow") as asked:
        asked.send(b"\n".join([line(1, 256)] * 150) + b"\n")
        if ended:
            asked.end()
        asked.begin()
        asked.answer()
        assert in_progress(node) == 1
    until(lambda: in_progress(node) == 0)
    assert node.infer("doubling", x=("FP32", [1, 3], [1, 2, 3])).status == 200
    assert adds_up(node)
    statuses = Counter((record.status, record.error) for record in node.records())
    assert statuses.keys() == {(200, None), (499, "client_gone")}
    assert statuses[499, "client_gone"] >= 10
    assert len(node.records()) < 151
    assert sum(record.batch_size > 0 for record in node.records()) < 100


def test_a_stop_during_a_job_ends_it_and_leaves_every_record(node: Node) -> None:
    with job(node, "slow") as asked:
        asked.send(b"\n".join([line(1, 256)] * 200) + b"\n")
        asked.begin()
        asked.answer()
        assert adds_up(node)
        found = {record.record_id: record for record in node.records()}
        assert {(r.status, r.error) for r in found.values()} <= {
            (200, None),
            (503, "node_stopping"),
        }
        with pytest.raises((http.client.IncompleteRead, OSError, json.JSONDecodeError)):
            while asked.answer()["line"]:
                pass


def test_real_time_work_goes_before_a_job(node: Node) -> None:
    with job(node, "slow") as asked:
        asked.send(b"\n".join([line(1, 256)] * 60) + b"\n")
        asked.begin()
        asked.answer()
        for _ in range(5):
            answer = node.infer("slow", x=("FP32", [1, 256], [2.0] * 256))
            assert answer.status == 200
        asked.end()
        answers = [asked.answer() for _ in range(60)]
        assert answers[-1] == {"lines": 60, "succeeded": 60, "failed": 0}
    assert adds_up(node)
    records = node.records()
    urgent = max(record.seq for record in records if record.priority == "normal")
    assert urgent < max(record.seq for record in records)
    assert Counter(record.priority for record in records) == {"batch": 60, "normal": 5}


def test_a_hundred_thousand_lines_take_no_more_memory_than_a_few(node: Node) -> None:
    body = b"".join(line(number % 100) + b"\n" for number in range(1000))
    numbers: set[int] = set()
    with job(node, "doubling") as asked:

        def send() -> None:
            for _ in range(LINES // 1000):
                asked.send(body)
            asked.end()

        sender = threading.Thread(target=send)
        sender.start()
        asked.begin()
        for _ in range(5000):
            numbers.add(asked.answer()["line"])
        before = node.memory_bytes()
        while "succeeded" not in (answer := asked.answer()):
            numbers.add(answer["line"])
            value = (answer["line"] - 1) % 1000 % 100
            assert answer["outputs"][0]["data"] == [2 * value] * 3
        grown = node.memory_bytes() - before
        sender.join()
    assert answer == {"lines": LINES, "succeeded": LINES, "failed": 0}
    assert numbers == set(range(1, LINES + 1))
    assert grown < 16 * 2**20
    assert node.stop() == 0
    assert (
        sum(path.read_bytes().count(b"usage_record") for path in node.spool.glob("*/*/*")) == LINES
    )


def test_a_client_that_reads_only_at_the_end_gets_everything(node: Node) -> None:
    count = 5000
    answer = node.ask("POST", "/v2/models/doubling/jobs", iter([line(7) + b"\n"] * count))
    *answers, summary = lines_of(answer.body)
    assert summary == {"lines": count, "succeeded": count, "failed": 0}
    assert {one["line"] for one in answers} == set(range(1, count + 1))
