"""Shadows: another version sees the same request, and all it leaves is a record of its own."""

from pathlib import Path
from typing import Any

import pytest

from inference_node import shadows
from inference_node.config import ModelOverride, NodeConfig, ServingConfig, ShadowConfig
from inference_node.errors import ExecutionError
from tests.unit.inference_node.gated_session import SHIFT
from tests.unit.inference_node.stage import BODY, Stage, body_of, records
from tests.unit.inference_node.virtual_time import until
from usage import UsageRecord

ANY_VERSION = "/v2/models/m/infer"
HEADERS = {"x-tenant": "shop", "x-labels": "team=search", "x-priority": "high"}


def shadowed(**serving: Any) -> NodeConfig:
    """Version 1 answers, version 2 is the shadow of every request."""
    override = ModelOverride(default_version="1", shadow=ShadowConfig(version="2"))
    return NodeConfig(models={"m": override}, serving=ServingConfig(**serving))


def parted(found: list[UsageRecord]) -> tuple[list[UsageRecord], list[UsageRecord]]:
    """Return the requests and their shadows."""
    return (
        [record for record in found if record.route == "direct"],
        [record for record in found if record.route == "shadow"],
    )


def test_an_answer_does_not_wait_for_its_shadow_whose_record_names_the_request(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        task = stage.ask(body_of(5, 6), ANY_VERSION, HEADERS)
        await until(lambda: stage.session.started == 1)
        stage.clock.us += 200
        stage.session.release(0)
        answer = await task
        assert str(5 + SHIFT).encode() in answer.body
        await until(lambda: stage.second.started == 1)
        stage.clock.us += 900
        stage.second.release(0)
        await until(lambda: not stage.node.pools.by_name["cpu"].busy)

    [request], [shadow] = parted(records(tmp_path, story, shadowed()))
    assert shadow.parent_id == request.record_id != shadow.record_id
    assert (shadow.model, shadow.model_version, shadow.status) == ("m", "2", 200)
    assert (request.model_version, request.compute_us, request.parent_id) == ("1", 200, None)
    assert shadow.compute_us == 900
    # It never waits in front of a request, whatever that one's priority was.
    assert (shadow.priority, request.priority) == ("batch", "high")
    assert (shadow.tenant, shadow.labels) == ("shop", {"team": "search"})
    assert shadow.input_digest == request.input_digest
    assert (shadow.items, shadow.batch_size) == (2, 2)
    assert (shadow.request_bytes, shadow.response_bytes) == (0, 0)


def test_a_shadow_that_fails_is_nobodys_error_but_its_own(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        stage.second.failure = ExecutionError("the model failed on this input")
        assert (await stage.ask(BODY, ANY_VERSION)).status == 200
        await until(lambda: stage.second.started == 1)

    [request], [shadow] = parted(records(tmp_path, story, shadowed()))
    assert (request.status, request.error) == (200, None)
    assert (shadow.status, shadow.error, shadow.batch_size) == (500, "execution_failed", 1)


def test_a_defect_in_a_shadow_is_recorded_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        stage.second.failure = KeyError("secret")
        assert (await stage.ask(BODY, ANY_VERSION)).status == 200
        await until(lambda: stage.second.started == 1)

    _, [shadow] = parted(records(tmp_path, story, shadowed()))
    assert shadow.error == "execution_failed"
    assert "a defect in the node" in caplog.text


def test_a_request_that_is_refused_before_it_is_understood_has_no_shadow(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        assert (await stage.ask(b"{", ANY_VERSION)).status == 400

    [record] = records(tmp_path, story, shadowed())
    assert record.status == 400


def test_a_request_that_names_its_version_has_no_shadow(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        assert (await stage.ask()).status == 200

    assert len(records(tmp_path, story, shadowed())) == 1


@pytest.mark.parametrize("limit", ["MOST_WAITING", "MOST_WAITING_BYTES"])
def test_when_too_many_wait_further_shadows_are_left_out_and_no_request_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(shadows, limit, {"MOST_WAITING": 3, "MOST_WAITING_BYTES": 3 * 8}[limit])
    skipped = []

    async def story(stage: Stage) -> None:
        stage.session.gated = False
        for _ in range(5):
            assert (await stage.ask(BODY, ANY_VERSION)).status == 200
        skipped.append(stage.node._shadows.skipped)
        stage.open()
        await until(lambda: stage.second.started > 0 and not stage.node._shadows._tasks)
        assert (await stage.ask(BODY, ANY_VERSION)).status == 200
        await until(lambda: not stage.node._shadows._tasks)

    requests, done = parted(records(tmp_path, story, shadowed()))
    assert (len(requests), len(done)) == (6, 4)
    assert skipped == [2]


def test_a_stop_records_the_shadow_that_executes_and_gives_up_those_that_wait(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        stage.session.gated = False
        for _ in range(6):
            assert (await stage.ask(BODY, ANY_VERSION)).status == 200
        await until(lambda: stage.second.started == 1)
        stage.clock.us += 400
        for _ in range(3):
            assert (await stage.ask(BODY, ANY_VERSION)).status == 200

    requests, done = parted(records(tmp_path, story, shadowed()))
    assert len(requests) == 9
    assert 1 <= len(done) <= 4  # one batch
    assert {record.batch_id for record in done} == {done[0].batch_id}
    assert len(done) == done[0].batch_size
    assert done[0].compute_us == 400
