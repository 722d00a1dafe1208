"""Whatever becomes of a request to a model, it leaves one record and tells no secrets."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from inference_node.app import App
from inference_node.config import NodeConfig
from inference_node.http.messages import Receive
from inference_node.inference import Inference
from inference_node.metering.busy_log import BusyLog
from inference_node.metering.meter import Meter
from inference_node.metering.metrics import Metrics
from inference_node.models.repository import ModelRepository
from inference_node.scheduling.batcher import Batcher
from tests.unit.inference_node.asgi import Sent, receiving, scope
from tests.unit.inference_node.gated_session import SHIFT, GatedSession, model_of
from tests.unit.inference_node.virtual_time import ManualClock, run, turns, until
from usage import SpoolWriter, UsageRecord, decode_line

START_US = 1_762_178_400_000_000
BOOT_ID = "0198c0de-0000-7000-8000-000000000001"
BODY = b'{"inputs": [{"name": "x", "shape": [1, 1], "datatype": "INT64", "data": [5]}]}'


class Stage:
    """An application on a model that executes when the test lets it, and a real spool."""

    def __init__(self, spool: Path, clock: ManualClock) -> None:
        self.clock = clock
        self.session = GatedSession()
        self.batcher = Batcher(clock, BusyLog(clock), workers=1, max_queue_size=10)
        self.meter = Meter(
            SpoolWriter(spool, "node-1", BOOT_ID), flush_interval_s=0.01, buffer_records=100
        )
        self.metrics = Metrics(self.batcher, self.meter)
        models = [model_of(self.session, delay_us=0), model_of(self.session, version="2")]
        self.app = App(
            ModelRepository(models, NodeConfig()),
            Inference(self.batcher, clock, max_image_pixels=1000),
            self.meter,
            self.metrics,
            clock,
            node_id="node-1",
            boot_id=BOOT_ID,
            max_body_bytes=1000,
        )

    def ask(
        self,
        receive: Receive,
        path: str = "/v2/models/m/versions/1/infer",
        headers: dict[str, str] | None = None,
        method: str = "POST",
    ) -> tuple["asyncio.Task[None]", Sent]:
        sent = Sent()
        call = self.app(scope(method, path, headers), receive, sent)
        return asyncio.create_task(call), sent


def records(
    tmp_path: Path, story: Callable[[Stage], Coroutine[Any, Any, None]]
) -> list[UsageRecord]:
    """Play `story`; return the records it left."""
    clock = ManualClock(START_US)

    async def staged() -> None:
        stage = Stage(tmp_path, clock)
        try:
            await story(stage)
        finally:
            for batch in range(stage.session.started):
                stage.session.release(batch)
            stage.batcher.close()
            stage.meter.close()

    run(clock, staged())
    lines = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("*/*/*.ndjson")))
    found = [decode_line(line) for line in lines.splitlines()]
    assert all(isinstance(record, UsageRecord) for record in found)
    return [record for record in found if isinstance(record, UsageRecord)]


async def waiting_for_ever() -> dict[str, Any]:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets this event")


def test_times_on_the_record_are_queue_execution_and_total_on_one_clock(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        task, sent = stage.ask(receiving(BODY))
        await until(lambda: stage.session.started == 1)
        stage.clock.us += 100
        late, _ = stage.ask(receiving(BODY))
        await until(lambda: stage.batcher.waiting == 1)
        stage.clock.us += 300
        stage.session.release(0)
        await until(lambda: stage.session.started == 2)
        await task
        stage.clock.us += 50
        stage.session.release(1)
        await late
        assert sent.status == 200
        assert json.loads(sent.body)["outputs"][0]["data"] == [5 + SHIFT]

    first, second = records(tmp_path, story)
    assert (first.arrived_at_us, first.queue_us, first.compute_us) == (START_US, 0, 400)
    assert (second.arrived_at_us, second.queue_us, second.compute_us) == (START_US + 100, 300, 50)
    assert second.total_us == 350
    assert [first.seq, second.seq] == [1, 2]


def test_a_slow_body_counts_from_its_end(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        gate = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await gate.wait()
            return {"type": "http.request", "body": BODY}

        task, _ = stage.ask(receive)
        await turns()
        stage.clock.us += 5_000_000
        gate.set()
        await until(lambda: stage.session.started == 1)
        stage.session.release(0)
        await task

    [record] = records(tmp_path, story)
    assert record.arrived_at_us == START_US + 5_000_000
    assert record.total_us == 0


def test_a_request_cancelled_while_its_body_is_awaited_is_answered_and_recorded(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        task, sent = stage.ask(waiting_for_ever, headers={"x-tenant": "shop"})
        await turns()
        task.cancel()
        await task
        assert sent.status == 503
        assert json.loads(sent.body) == {"error": "the node is stopping; ask another one"}

    [record] = records(tmp_path, story)
    assert (record.status, record.error) == (503, "node_stopping")
    assert (record.model, record.model_version, record.tenant) == ("m", "1", "shop")


def test_a_request_cancelled_while_it_executes_is_answered_and_recorded(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        task, sent = stage.ask(receiving(BODY))
        await until(lambda: stage.session.started == 1)
        task.cancel()
        await task
        assert sent.status == 503

    [record] = records(tmp_path, story)
    assert (record.status, record.error, record.request_bytes) == (503, "node_stopping", len(BODY))


def test_a_client_that_leaves_halfway_leaves_a_record_with_what_it_sent(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        headers = {"x-tenant": "shop", "x-labels": "team=search", "x-priority": "high"}
        receive = receiving(BODY[:30], complete=False)
        task, _ = stage.ask(receive, headers=headers)
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

    monkeypatch.setattr("inference_node.inference.decode_request", broken)

    async def story(stage: Stage) -> None:
        task, sent = stage.ask(receiving(BODY))
        await task
        assert sent.status == 500
        assert json.loads(sent.body) == {"error": "internal error"}

    [record] = records(tmp_path, story)
    assert (record.status, record.error, record.request_bytes) == (500, "internal", len(BODY))
    assert "/srv/secret/path" in caplog.text
    assert record.record_id in caplog.text


def test_more_items_than_a_record_can_say_are_refused_and_the_record_stays_valid(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        stage.app._max_body_bytes = 2**30
        count = 1_000_001
        body = (
            b'{"inputs": [{"name": "x", "shape": [%d, 1], "datatype": "INT64", "data": [%b]}]}'
            % (count, b",".join([b"7"] * count))
        )
        task, sent = stage.ask(receiving(body))
        await task
        assert sent.status == 400
        assert b"holds 1000001 items; accepted: at most 4" in sent.body

    [record] = records(tmp_path, story)
    assert (record.status, record.error) == (400, "invalid_request")
    assert record.items == 1_000_000


def test_a_model_version_that_a_client_made_up_is_on_the_record_and_no_label_of_a_metric(
    tmp_path: Path,
) -> None:
    exposed: list[str] = []

    async def story(stage: Stage) -> None:
        for number in range(3):
            task, sent = stage.ask(receiving(BODY), f"/v2/models/up-{number}/versions/9/infer")
            await task
            assert sent.status == 404
        exposed.append(stage.metrics.expose().decode())

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
        task, sent = stage.ask(receiving(BODY), f"/v2/models/{'n' * 5000}/infer")
        await task
        assert sent.status == 404
        assert len(sent.body) < 1200

    [record] = records(tmp_path, story)
    assert record.model == "n" * 128


def test_headers_that_cannot_be_used_are_refused_and_the_rest_is_on_the_record(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        headers = {"x-tenant": "shop", "x-priority": "now", "x-origin": "moon"}
        task, sent = stage.ask(receiving(BODY), headers=headers)
        await task
        assert sent.status == 400
        assert json.loads(sent.body) == {
            "error": "x-priority is 'now'; accepted: high, normal, batch; "
            "x-origin is 'moon'; accepted: live, replay"
        }

    [record] = records(tmp_path, story)
    assert (record.status, record.error, record.tenant) == (400, "invalid_request", "shop")
    assert record.request_bytes == len(BODY)


def test_the_answer_carries_the_id_of_its_record_and_the_callers_own(tmp_path: Path) -> None:
    ids: list[str] = []

    async def story(stage: Stage) -> None:
        task, sent = stage.ask(
            receiving(b"{"), headers={"x-request-id": "caf\xe9-1", "x-tenant": "t"}
        )
        await task
        ids.append(sent.messages[0]["headers"][2][1].decode())
        assert sent.messages[0]["headers"][3] == (b"x-request-id", "caf\xe9-1".encode("latin-1"))

    [record] = records(tmp_path, story)
    assert ids == [record.record_id]


def test_what_asks_no_model_leaves_no_record(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        expected = {
            ("GET", "/v2/health/live"): 200,
            ("GET", "/v2/health/ready"): 503,
            ("GET", "/v2/models/m/ready"): 503,
            ("GET", "/v2/models/x"): 404,
            ("GET", "/v2/models//versions/1"): 404,
            ("GET", "/nowhere"): 404,
            ("GET", "/predict"): 405,
            ("GET", "/v2/models/m/infer"): 405,
            ("POST", "/v2"): 405,
            ("DELETE", "/metrics"): 405,
        }
        for (method, path), status in expected.items():
            task, sent = stage.ask(receiving(b""), path, method=method)
            await task
            assert sent.status == status, path
            if status in (404, 405):
                assert list(json.loads(sent.body)) == ["error"]

    assert records(tmp_path, story) == []
