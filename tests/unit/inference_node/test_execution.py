"""With a response cache: how answers were come by, and that machine time is on one record each."""

import json
import tempfile
from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_node.config import NodeConfig, ServingConfig
from inference_node.errors import ClientGoneError, ExecutionError
from inference_node.http.request import Request
from inference_node.models.config import ResponseCacheConfig
from tests.unit.inference_node.gated_session import SHIFT
from tests.unit.inference_node.stage import BODY, INFER, Stage, body_of, records, request
from tests.unit.inference_node.virtual_time import turns, until
from usage import UsageRecord

CACHE = ResponseCacheConfig(enable=True, ttl_seconds=60)
SECOND = "/v2/models/m/versions/2/infer"


def machine_time_us(found: list[UsageRecord]) -> Fraction:
    return sum(
        (Fraction(r.compute_us * r.items, r.batch_size) for r in found if r.batch_size),
        Fraction(0),
    )


def outcomes(found: list[UsageRecord]) -> list[tuple[str, int]]:
    return [(record.cache, record.batch_size) for record in found]


def leave(asked: Request) -> None:
    asked.fail(ClientGoneError("the client closed the connection"))


def test_the_same_again_comes_from_memory_until_its_time_is_up(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        first = await stage.ask()
        stage.clock.us += 59_999_999
        second = await stage.ask()
        assert second.body == first.body
        stage.clock.us += 1
        await stage.ask()
        assert stage.session.started == 2

    found = records(tmp_path, story, cache=CACHE)
    assert outcomes(found) == [("miss", 1), ("memory", 0), ("miss", 1)]
    assert found[1].queue_us == found[1].compute_us == 0
    assert found[1].worker is None
    assert len({record.input_digest for record in found}) == 1


def test_what_another_file_than_the_keys_answers_is_not_kept(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        sessions = stage.node.models.find("m", "1").sessions["cpu"]
        asked = stage.ask()
        await until(lambda: stage.session.started == 1)
        sessions.fingerprint = "g"  # it is loaded anew
        stage.open()
        await asked
        sessions.fingerprint = "f"  # and once more, from the file of before
        await stage.ask()
        await stage.ask()

    found = records(tmp_path, story, cache=CACHE)
    assert outcomes(found) == [("miss", 1), ("miss", 1), ("memory", 0)]


def test_without_a_cache_every_request_is_executed(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        for _ in range(2):
            await stage.ask()

    assert outcomes(records(tmp_path, story)) == [("bypass", 1), ("bypass", 1)]


def test_what_differs_in_anything_is_not_the_same(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        flat = BODY.replace(b"[1, 1]", b"[1, 2]").replace(b"[5]", b"[5, 5]")
        upright = BODY.replace(b"[1, 1]", b"[2, 1]").replace(b"[5]", b"[5, 5]")
        for body, path in ((BODY, INFER), (BODY, SECOND), (flat, INFER), (upright, INFER)):
            answer = await stage.ask(body, path)
            assert set(json.loads(answer.body)["outputs"][0]["data"]) == {5 + SHIFT}
        assert stage.session.started + stage.second.started == 4

    assert {record.cache for record in records(tmp_path, story, cache=CACHE)} == {"miss"}


@pytest.mark.parametrize("isolated", [True, False])
def test_tenants_share_answers_unless_they_are_to_be_kept_apart(
    tmp_path: Path, isolated: bool
) -> None:
    async def story(stage: Stage) -> None:
        # At the same time, then one after the other: neither flight nor memory is shared.
        one = stage.ask(headers={"x-tenant": "a"})
        other = stage.ask(headers={"x-tenant": "b"})
        await turns()
        stage.open()
        await one
        await other
        await stage.ask(headers={"x-tenant": "a"})
        await stage.ask(headers={"x-tenant": "c"})

    config = ResponseCacheConfig(enable=True, isolate_tenants=isolated)
    found = Counter(record.cache for record in records(tmp_path, story, cache=config))
    apart, together = {"miss": 3, "memory": 1}, {"miss": 1, "coalesced": 1, "memory": 2}
    assert found == (apart if isolated else together)


def test_equal_requests_at_once_are_executed_once_and_each_has_a_record(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        tasks = [stage.ask() for _ in range(4)]
        await until(lambda: stage.session.started == 1)
        stage.clock.us += 800
        stage.session.release(0)
        assert {(await task).body for task in tasks} == {tasks[0].result().body}
        assert stage.session.batches == [[5]]

    found = records(tmp_path, story, cache=CACHE)
    assert sorted(outcomes(found)) == [("coalesced", 0)] * 3 + [("miss", 1)]
    assert machine_time_us(found) == 800
    assert {record.total_us for record in found} == {800}


def test_an_urgent_request_does_not_wait_for_an_equal_one_that_is_not(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        blocker = stage.ask(body_of(1))
        await until(lambda: stage.session.started == 1)
        tasks = [stage.ask(headers={"x-priority": name}) for name in ("batch", "normal", "high")]
        await turns()
        stage.open()
        for task in (blocker, *tasks):
            await task

    found = records(tmp_path, story, cache=CACHE)
    assert {record.cache for record in found} == {"miss"}


def test_a_failure_is_everybodys_is_paid_for_once_and_is_not_kept(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.session.failure = ExecutionError("the model failed on this input")
        tasks = [stage.ask() for _ in range(3)]
        await until(lambda: stage.session.started == 1)
        stage.clock.us += 500
        stage.session.release(0)
        assert {(await task).status for task in tasks} == {500}
        stage.session.failure = None
        stage.open()
        assert (await stage.ask()).status == 200

    *failed, served = records(tmp_path, story, cache=CACHE)
    assert [record.error for record in failed] == ["execution_failed"] * 3
    assert machine_time_us(failed) == 500
    assert sum(record.batch_size for record in failed) == 1
    assert (served.cache, served.batch_size) == ("miss", 1)


def test_a_full_queue_is_nobody_elses_failure(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        blocker = stage.ask(body_of(1))
        await until(lambda: stage.session.started == 1)
        waiting = stage.ask(body_of(2))
        await turns()
        refused = [stage.ask(body_of(3)) for _ in range(2)]
        assert [(await task).status for task in refused] == [503, 503]
        stage.open()
        assert (await blocker).status == (await waiting).status == 200

    config = NodeConfig(serving=ServingConfig(max_queue_size=1))
    found = records(tmp_path, story, config, CACHE)
    assert Counter(record.error for record in found) == {"queue_full": 2, None: 2}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["stays", "leaves first", "leaves", "is cut off"]), min_size=1),
    st.booleans(),
)
def test_whoever_leaves_and_when_machine_time_is_claimed_exactly_once(
    clients: list[str], fails: bool
) -> None:
    busy: list[int] = []

    async def story(stage: Stage) -> None:
        if fails:
            stage.session.failure = ExecutionError("the model failed on this input")
        asked = [request("POST", INFER, body=BODY) for _ in clients]
        tasks = [stage.handle(one) for one in asked]
        await turns(3)
        for client, one, task in zip(clients, asked, tasks, strict=True):
            if client == "leaves first":
                leave(one)
                task.cancel()
        await turns()
        if stage.session.started or not all(task.done() for task in tasks):
            await until(lambda: stage.session.started == 1)
        for client, one, task in zip(clients, asked, tasks, strict=True):
            if client in ("leaves", "is cut off") and not task.done():
                if client == "leaves":
                    leave(one)
                task.cancel()
        await turns()
        stage.clock.us += 300
        stage.open()
        for task in tasks:
            await task
        busy.append(300 * stage.session.started)

    with tempfile.TemporaryDirectory() as folder:
        found = records(Path(folder), story, cache=CACHE)
    assert len(found) == len(clients)
    assert machine_time_us(found) == busy[0]
    assert sum(record.batch_size > 0 for record in found) == busy[0] // 300
    left = sum(client in ("leaves", "leaves first") for client in clients)
    assert sum(record.status == 499 for record in found) == left
