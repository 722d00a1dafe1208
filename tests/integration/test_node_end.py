"""How a node ends: asked to, killed, or with a spool that takes nothing."""

import http.client
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.integration.node_process import Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import save
from usage import decode_line

BODY = json.dumps(
    {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 256], "data": [1] * 256}]}
).encode()
PATH = "/v2/models/slow/infer"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "slow", onnx_models.slow(), max_batch_size=4, delay_us=1000)
    return folder


@dataclass
class Load:
    """What clients that ask without a pause have seen."""

    answered: list[tuple[float, str]] = field(default_factory=list)  # when, record id
    asked: int = 0
    broken: list[str] = field(default_factory=list)

    def client(self, port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            while True:
                self.asked += 1
                connection.request("POST", PATH, BODY)
                response = connection.getresponse()
                response.read()
                assert response.status == 200, response.status
                self.answered.append((time.monotonic(), response.headers["x-record-id"]))
        except (OSError, http.client.HTTPException) as error:
            self.broken.append(type(error).__name__)
        finally:
            connection.close()


@contextmanager
def under_load(node: Node, clients: int) -> Iterator[Load]:
    """Clients ask until their connection ends; hand over once some answers are there."""
    load = Load()
    threads = [threading.Thread(target=load.client, args=(node.port,)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(load.answered) > 50)
        yield load
    finally:
        node.process.kill()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_node_asked_to_stop_under_load_answers_and_records_all_it_accepted(
    tmp_path: Path, repository: Path, number: signal.Signals
) -> None:
    with running_node(tmp_path, repository) as node, under_load(node, 16) as load:
        node.process.send_signal(number)
        assert node.wait() == 0
    records = node.records()
    # Whatever has a record was answered, and whatever was answered has a record.
    assert sorted(r.record_id for r in records) == sorted(record for _, record in load.answered)
    assert {record.status for record in records} == {200}
    assert sorted(r.seq for r in records) == list(range(1, len(records) + 1))
    assert sum(s.busy_us for s in node.samples()) == sum(
        {r.batch_id: r.compute_us for r in records}.values()
    )
    assert "stopped; every record is in the spool" in node.log()


def test_a_stop_ends_connections_that_idle(tmp_path: Path, repository: Path) -> None:
    with running_node(tmp_path, repository) as node, node.connect() as idle:
        idle.sendall(b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        assert node.answer(idle).status == 200
        assert node.stop() == 0
        assert idle.recv(4096) == b""


SHORT_DRAIN = (
    sys.executable,
    "-c",
    "import sys, inference_node.server as server; server.DRAIN_S = 1; "
    "from inference_node.__main__ import main; sys.exit(main())",
    "serve",
)


def test_a_request_still_open_when_time_is_up_is_answered_and_recorded(
    tmp_path: Path, repository: Path
) -> None:
    with (
        running_node(tmp_path, repository, command=SHORT_DRAIN) as node,
        node.connect() as slow,
    ):
        slow.sendall(
            b"POST %b HTTP/1.1\r\nhost: x\r\nx-tenant: slow\r\ncontent-length: 10\r\n\r\n{"
            % PATH.encode()
        )
        assert node.ask("POST", PATH, BODY).status == 200
        assert node.stop() == 0
        answer = node.answer(slow)
        assert answer.status == 503
        assert answer.error == "the node is stopping; ask another one"
    [_, record] = node.records()
    assert (record.status, record.error, record.tenant) == (503, "node_stopping", "slow")
    assert (record.model, record.request_bytes) == ("slow", 1)


def test_a_killed_node_leaves_every_record_that_was_due_and_at_most_one_torn_line(
    tmp_path: Path, repository: Path
) -> None:
    with running_node(tmp_path, repository) as node, under_load(node, 16) as load:
        until(lambda: load.answered[0][0] < time.monotonic() - 0.3)
        killed_at = time.monotonic()
        node.process.kill()
        node.wait()
    spool = list(node.spool.glob("*/*/*.ndjson"))
    text = b"".join(path.read_bytes() for path in sorted(spool))
    whole, _, torn = text.rpartition(b"\n")
    for line in whole.splitlines():
        decode_line(line)
    assert b"\n" not in torn
    due = {record for answered_at, record in load.answered if answered_at < killed_at - 0.1}
    assert due
    assert due <= {record.record_id for record in node.records()}


def test_a_node_whose_spool_takes_nothing_serves_and_its_facts_wait_until_it_does(
    tmp_path: Path, repository: Path
) -> None:
    spool = tmp_path / "spool"
    spool.write_text("a file is in the way")
    with running_node(tmp_path, repository, spool=spool) as node:
        ids = [node.ask("POST", PATH, BODY).record_id for _ in range(20)]
        until(lambda: "facts wait in memory" in node.log())
        spool.unlink()
        assert node.record(ids[-1])
        assert node.stop() == 0
    assert [record.record_id for record in node.records()] == ids
    assert node.samples()[-1].records_dropped == 0


def test_facts_beyond_the_bound_are_counted_where_everybody_can_see(
    tmp_path: Path, repository: Path
) -> None:
    spool = tmp_path / "spool"
    spool.write_text("a file is in the way")
    config = "[metering]\nbuffer_records = 10\nsample_interval_seconds = 60"
    with running_node(tmp_path, repository, config, spool=spool) as node:
        ids = [node.ask("POST", PATH, BODY).record_id for _ in range(20)]
        # The sample of the start came first, so nine records fit.
        assert b"usage_records_dropped_total 11.0" in node.ask("GET", "/metrics").body
        spool.unlink()
        assert node.record(ids[8])
        assert node.stop() == 0
    assert [record.record_id for record in node.records()] == ids[:9]
    assert node.samples()[-1].records_dropped == 11
