"""A cascade: the first version answers where it is sure, else the other, and both are on record."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference_node.config import CascadeConfig, ModelOverride, NodeConfig, ServingConfig
from inference_node.errors import ClientGoneError, ExecutionError
from inference_node.inference import _confidence
from inference_node.models.config import ResponseCacheConfig
from tests.unit.inference_node.gated_session import SHIFT
from tests.unit.inference_node.stage import Stage, body_of, records, request
from tests.unit.inference_node.virtual_time import turns, until

PATH = "/v2/models/m/infer"
# The gated session answers x + SHIFT: it is sure of 10 and more.
CASCADE = CascadeConfig(first="1", then="2", output="y", threshold=SHIFT + 10)
CONFIG = NodeConfig(models={"m": ModelOverride(cascade=CASCADE)})


def test_who_is_sure_answers_alone(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        answer = json.loads((await stage.ask(body_of(10, 11), PATH)).body)
        assert answer["model_version"] == "1"
        assert stage.second.started == 0

    [record] = records(tmp_path, story, CONFIG)
    assert (record.route, record.model_version, record.items) == ("cascade", "1", 2)


def test_one_unsure_item_lets_the_other_version_answer_and_both_are_paid_for(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        task = stage.ask(body_of(10, 9), PATH, {"x-tenant": "shop"})
        await until(lambda: stage.session.started == 1)
        stage.clock.us += 100
        stage.session.release(0)
        await until(lambda: stage.second.started == 1)
        stage.clock.us += 700
        stage.second.release(0)
        answer = json.loads((await task).body)
        assert answer["model_version"] == "2"
        assert answer["outputs"][0]["data"] == [10 + SHIFT, 9 + SHIFT]

    first, last = records(tmp_path, story, CONFIG)
    assert (first.route, first.model_version, first.status) == ("cascade_attempt", "1", 200)
    assert (last.route, last.model_version, last.status) == ("cascade", "2", 200)
    assert (first.parent_id, last.parent_id) == (last.record_id, None)
    assert (first.compute_us, last.compute_us) == (100, 700)
    assert (first.tenant, first.input_digest) == ("shop", last.input_digest)
    assert (first.items, first.batch_size) == (2, 2)
    assert first.batch_id != last.batch_id
    assert (first.response_bytes, first.request_bytes) == (0, 0)


@pytest.mark.parametrize("fails", ["1", "2"])
def test_whichever_version_fails_its_machine_time_is_on_one_record(
    tmp_path: Path, fails: str
) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        failing = stage.session if fails == "1" else stage.second
        failing.failure = ExecutionError("the model failed on this input")
        assert (await stage.ask(body_of(1), PATH)).status == 500

    *attempts, last = records(tmp_path, story, CONFIG)
    assert (last.route, last.status, last.model_version) == ("cascade", 500, fails)
    assert last.batch_size == 1
    assert [record.model_version for record in attempts] == ([] if fails == "1" else ["1"])


def test_who_leaves_during_the_first_try_does_not_set_the_other_version_to_work(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        asked = request("POST", PATH, body=body_of(1))
        task = stage.handle(asked)
        await until(lambda: stage.session.started == 1)
        asked.fail(ClientGoneError("the client closed the connection"))
        task.cancel()
        await turns()
        stage.clock.us += 300
        stage.session.release(0)
        await until(task.done)
        assert stage.second.started == 0

    [record] = records(tmp_path, story, CONFIG)
    assert (record.status, record.error, record.route) == (499, "client_gone", "cascade")
    assert (record.model_version, record.compute_us) == ("1", 300)


def test_a_first_try_from_the_cache_costs_nothing_and_leaves_no_record_of_its_own(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        for _ in range(2):
            answer = await stage.ask(body_of(1), PATH)
            assert json.loads(answer.body)["model_version"] == "2"
        assert (stage.session.started, stage.second.started) == (1, 1)

    found = records(tmp_path, story, CONFIG, ResponseCacheConfig(enable=True))
    assert [(record.route, record.cache, record.batch_size) for record in found] == [
        ("cascade_attempt", "miss", 1),
        ("cascade", "miss", 1),
        ("cascade", "memory", 0),
    ]


def test_a_bad_request_to_a_cascade_is_on_record_as_one(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        assert (await stage.ask(b"[]", PATH)).status == 400

    [record] = records(tmp_path, story, CONFIG)
    assert (record.route, record.model_version, record.status) == ("cascade", "1", 400)


def test_where_a_default_model_is_a_cascade_images_are_refused_as_by_any_other(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        refused = await stage.ask(b"", "/predict")
        assert json.loads(refused.body)["error"] == "model 'm' does not classify images"

    config = NodeConfig(serving=ServingConfig(default_model="m"), models=CONFIG.models)
    [record] = records(tmp_path, story, config)
    assert (record.model, record.status) == ("m", 400)


def test_confidence_is_that_of_the_least_sure_item_and_nonsense_has_none() -> None:
    nan, inf = float("nan"), float("inf")
    assert _confidence(np.array([[0.1, 0.9], [0.6, 0.4]], np.float32), 2) == pytest.approx(0.6)
    assert _confidence(np.array([0.1, 0.7]), 2) == 0.1
    assert _confidence(np.array([0.1, 0.7]), 1) == 0.7
    assert _confidence(np.array(0.8), 1) == 0.8
    assert _confidence(np.array([[[0.2], [0.5]]], np.float16), 1) == 0.5
    assert _confidence(np.array([[0.99, nan]]), 1) < 0
    assert _confidence(np.zeros((1, 0)), 1) == -inf
    assert _confidence(np.zeros(3), 2) == -inf
