"""Whatever becomes of a request to a model, it leaves one record and tells no secrets."""

import json
from pathlib import Path

import pytest

from inference_node.config import NodeConfig
from inference_node.errors import ClientGoneError
from tests.unit.inference_node.gated_session import SHIFT
from tests.unit.inference_node.stage import BODY, INFER, START_US, Stage, records, request
from tests.unit.inference_node.virtual_time import turns, until


def test_times_on_the_record_are_queue_execution_and_total_on_one_clock(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        task = stage.ask()
        await until(lambda: stage.session.started == 1)
        stage.clock.us += 100
        late = stage.ask()
        await until(lambda: stage.node.pools.waiting == 1)
        stage.clock.us += 300
        stage.session.release(0)
        await until(lambda: stage.session.started == 2)
        await task
        stage.clock.us += 50
        stage.session.release(1)
        await late
        assert task.result().status == 200
        assert json.loads(task.result().body)["outputs"][0]["data"] == [5 + SHIFT]

    first, second = records(tmp_path, story)
    assert (first.arrived_at_us, first.queue_us, first.compute_us) == (START_US, 0, 400)
    assert (second.arrived_at_us, second.queue_us, second.compute_us) == (START_US + 100, 300, 50)
    assert second.total_us == 350
    assert [first.seq, second.seq] == [1, 2]


def test_a_slow_body_counts_from_its_end(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        slow = request("POST", INFER, body=None)
        task = stage.handle(slow)
        await turns()
        stage.clock.us += 5_000_000
        slow.arrived(BODY)
        slow.ended()
        await until(lambda: stage.session.started == 1)
        stage.session.release(0)
        await task

    [record] = records(tmp_path, story)
    assert record.arrived_at_us == START_US + 5_000_000
    assert record.total_us == 0


def test_a_request_cut_off_while_its_body_is_awaited_is_answered_and_recorded(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        task = stage.ask(None, headers={"x-tenant": "shop"})
        await turns()
        task.cancel()
        await turns()
        assert task.result().status == 503
        assert json.loads(task.result().body) == {"error": "the node is stopping; ask another one"}

    [record] = records(tmp_path, story)
    assert (record.status, record.error) == (503, "node_stopping")
    assert (record.model, record.model_version, record.tenant) == ("m", "1", "shop")


def test_a_request_cut_off_while_it_waits_is_answered_and_recorded_and_not_executed(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        first = stage.ask()
        await until(lambda: stage.session.started == 1)
        second = stage.ask()
        await until(lambda: stage.node.pools.waiting == 1)
        second.cancel()
        await turns()
        assert second.result().status == 503
        assert stage.node.pools.waiting == 0
        stage.session.release(0)
        await first
        assert stage.session.started == 1

    cut, answered = records(tmp_path, story)
    assert (cut.status, cut.error, cut.batch_size) == (503, "node_stopping", 0)
    assert answered.status == 200


@pytest.mark.parametrize("leaves", [True, False])
def test_a_request_cut_off_while_it_executes_still_pays_for_its_machine_time(
    tmp_path: Path, leaves: bool
) -> None:
    async def story(stage: Stage) -> None:
        asked = request("POST", INFER, body=BODY)
        task = stage.handle(asked)
        await until(lambda: stage.session.started == 1)
        if leaves:
            asked.fail(ClientGoneError("the client closed the connection"))
        task.cancel()
        await turns()
        stage.clock.us += 700
        stage.session.release(0)
        await until(task.done)

    [record] = records(tmp_path, story)
    assert (record.status, record.error) == ((499, "client_gone") if leaves else (200, None))
    assert (record.compute_us, record.batch_size) == (700, 1)


def test_a_client_that_leaves_halfway_leaves_a_record_with_what_it_sent(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        headers = {"x-tenant": "shop", "x-labels": "team=search", "x-priority": "high"}
        leaving = request("POST", INFER, headers, None)
        task = stage.handle(leaving)
        await turns()
        leaving.arrived(BODY[:30])
        leaving.fail(ClientGoneError("the client closed the connection"))
        await task

    [record] = records(tmp_path, story)
    assert (record.status, record.error, record.request_bytes) == (499, "client_gone", 30)
    assert (record.tenant, record.labels, record.priority) == ("shop", {"team": "search"}, "high")
    assert (record.model, record.model_version, record.variant) == ("m", "1", "fp32")


def test_a_defect_is_answered_without_details_and_logged_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("/srv/secret/path")

    monkeypatch.setattr("inference_node.inference.read_infer", broken)

    async def story(stage: Stage) -> None:
        task = stage.ask()
        await task
        assert task.result().status == 500
        assert json.loads(task.result().body) == {"error": "internal error"}

    [record] = records(tmp_path, story)
    assert (record.status, record.error, record.request_bytes) == (500, "internal", len(BODY))
    assert "/srv/secret/path" in caplog.text
    assert record.record_id in caplog.text


def test_more_items_than_a_record_can_say_are_refused_and_the_record_stays_valid(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        count = 1_000_001
        body = (
            b'{"inputs": [{"name": "x", "shape": [%d, 1], "datatype": "INT64", "data": [%b]}]}'
            % (count, b",".join([b"7"] * count))
        )
        task = stage.ask(body)
        await task
        assert task.result().status == 400
        assert b"holds 1000001 items; accepted: at most 4" in task.result().body

    [record] = records(tmp_path, story, NodeConfig())
    assert (record.status, record.error) == (400, "invalid_request")
    assert record.items == 1_000_000


def test_a_model_version_that_a_client_made_up_is_on_the_record_and_no_label_of_a_metric(
    tmp_path: Path,
) -> None:
    exposed: list[str] = []

    async def story(stage: Stage) -> None:
        for number in range(3):
            task = stage.ask(BODY, f"/v2/models/up-{number}/versions/9/infer")
            await task
            assert task.result().status == 404
        exposed.append(stage.node.metrics.expose()[0].decode())

    found = records(tmp_path, story)
    assert [record.model for record in found] == ["up-0", "up-1", "up-2"]
    assert [record.request_bytes for record in found] == [len(BODY)] * 3
    assert "up-" not in exposed[0]
    assert (
        'inference_requests_total{error="unknown_model",model="unknown",status="404",'
        'version="unknown"} 3.0' in exposed[0]
    )


def test_a_name_longer_than_a_record_can_say_is_cut(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        task = stage.ask(BODY, f"/v2/models/{'n' * 5000}/infer")
        await task
        assert task.result().status == 404
        assert len(task.result().body) < 1200

    [record] = records(tmp_path, story)
    assert record.model == "n" * 128


def test_headers_that_cannot_be_used_are_refused_and_the_rest_is_on_the_record(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        headers = {"x-tenant": "shop", "x-priority": "now", "x-origin": "moon"}
        task = stage.ask(BODY, headers=headers)
        await task
        assert task.result().status == 400
        assert json.loads(task.result().body) == {
            "error": "x-priority is 'now'; accepted: high, normal, batch; "
            "x-origin is 'moon'; accepted: live, replay"
        }

    [record] = records(tmp_path, story)
    assert (record.status, record.error, record.tenant) == (400, "invalid_request", "shop")
    assert record.request_bytes == len(BODY)


def test_the_answer_carries_the_id_of_its_record_and_the_callers_own(tmp_path: Path) -> None:
    ids: list[bytes] = []

    async def story(stage: Stage) -> None:
        for name, repeated in (("cafe-1", True), ("caf\xe9", False), ("n" * 200, False)):
            task = stage.ask(b"{", headers={"x-request-id": name, "x-tenant": "t"})
            headers = dict((await task).headers)
            ids.append(headers[b"x-record-id"])
            assert headers.get(b"x-request-id") == (name.encode() if repeated else None)

    assert ids == [record.record_id.encode() for record in records(tmp_path, story)]


def test_what_asks_no_model_leaves_no_record(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        expected = {
            ("GET", "/v2/health/live"): 200,
            ("GET", "/v2/health/ready"): 200,
            ("HEAD", "/v2/health/ready"): 200,
            ("GET", "/v2/models/m/ready"): 200,
            ("GET", "/v2/models/x"): 404,
            ("GET", "/v2/models//versions/1"): 404,
            ("GET", "/nowhere"): 404,
            ("GET", "/predict"): 405,
            ("GET", "/v2/models/m/infer"): 405,
            ("POST", "/v2"): 405,
            ("DELETE", "/metrics"): 405,
        }
        for (method, path), status in expected.items():
            task = stage.ask(b"", path, method=method)
            await task
            assert task.result().status == status, path
            if status in (404, 405):
                assert list(json.loads(task.result().body)) == ["error"]

    assert records(tmp_path, story) == []
