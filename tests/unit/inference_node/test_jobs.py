"""Offline jobs: every line has its answer and its record, whatever becomes of the others."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_node import jobs
from inference_node.config import NodeConfig, ServingConfig
from inference_node.errors import ClientGoneError, RequestTimeoutError
from inference_node.http.request import Request
from inference_node.http.response import Response
from inference_node.jobs import _lines
from inference_node.line_process import LineProcess
from inference_node.metering.receipt import Receipt
from tests.unit.inference_node.gated_session import SHIFT
from tests.unit.inference_node.stage import BODY, Stage, body_of, complete, records, request
from tests.unit.inference_node.virtual_time import ManualClock, run, turns, until

JOBS = "/v2/models/m/versions/1/jobs"
LINE = body_of(5) + b"\n"


def job_of(body: bytes | None, **headers: str) -> Request:
    return request("POST", JOBS, {name.replace("_", "-"): v for name, v in headers.items()}, body)


async def answered(parts: AsyncGenerator[bytes, None]) -> list[Any]:
    """Return all that a job answers."""
    found = []
    async with aclosing(parts):
        async for part in parts:
            assert part.endswith(b"\n")
            assert part.count(b"\n") == 1
            found.append(json.loads(part))
    return found


def config(**serving: Any) -> NodeConfig:
    return NodeConfig(serving=ServingConfig(max_body_bytes=1000, **serving))


def test_every_line_is_answered_under_its_number_and_a_summary_ends_the_answer(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        long = b" " * 1001 + b"x\r\n"
        body = b"\n".join([body_of(1), b"", b"{", b"  \r", body_of(2, 3) + b"\r", long, body_of(4)])
        response = await stage.job(job_of(body, x_tenant="shop", x_priority="high"))
        *lines, summary = await answered(response.parts)
        assert summary == {"lines": 5, "succeeded": 3, "failed": 2}
        by_number = {line["line"]: line for line in lines}
        assert sorted(by_number) == [1, 3, 5, 6, 8]
        assert by_number[1]["outputs"][0]["data"] == [1 + SHIFT]
        assert by_number[5]["outputs"][0]["data"] == [2 + SHIFT, 3 + SHIFT]
        assert by_number[8]["outputs"][0]["data"] == [4 + SHIFT]
        assert (by_number[3]["status"], by_number[6]["status"]) == (400, 413)
        ids.update({line["record_id"]: line["line"] for line in lines})

    ids: dict[str, int] = {}
    found = records(tmp_path, story, config())
    assert sorted(ids[record.record_id] for record in found) == [1, 3, 5, 6, 8]
    assert {(r.tenant, r.priority, r.model_version) for r in found} == {("shop", "batch", "1")}
    sizes = {ids[record.record_id]: record.request_bytes for record in found}
    assert (sizes[1], sizes[6]) == (len(body_of(1)), 1001)
    assert {record.error for record in found} == {None, "invalid_request", "body_too_large"}


@pytest.mark.parametrize("body", [b"", b"\n", b" \r\n\t\n" * 5])
def test_a_job_of_nothing_is_done_at_once(tmp_path: Path, body: bytes) -> None:
    async def story(stage: Stage) -> None:
        response = await stage.job(job_of(body))
        assert await answered(response.parts) == [{"lines": 0, "succeeded": 0, "failed": 0}]

    assert records(tmp_path, story) == []


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([b"", b"a", b" ", b"bb", b"ccccccccc", b"d\r"]), max_size=8),
    st.booleans(),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_lines_are_the_same_however_the_body_is_cut(
    lines: list[bytes], ended: bool, cuts: list[int]
) -> None:
    body = b"\n".join(lines) + (b"\n" if ended else b"")
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]

    async def read() -> list[tuple[int, bytes]]:
        asked = job_of(None)
        for begin, end in pairwise(places):
            asked.arrived(body[begin:end])
        asked.ended()
        return [line async for line in _lines(asked, 5)]

    expected = [(n, line[:6]) for n, line in enumerate(lines, 1) if line.strip()]
    assert run(ManualClock(), read()) == expected


def test_a_job_is_not_even_read_while_every_worker_has_a_request(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        blocker = stage.ask(body_of(1))
        await until(lambda: stage.session.started == 1)
        response = await stage.job(job_of(LINE * 20))
        answers = asyncio.create_task(answered(response.parts))
        await turns(100)
        assert stage.node.pools.waiting == 0
        stage.session.release(0)
        await blocker
        stage.open()
        assert (await answers)[-1] == {"lines": 20, "succeeded": 20, "failed": 0}

    assert len(records(tmp_path, story)) == 21


def test_the_time_of_a_line_is_up_when_it_is_also_while_every_worker_has_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = asyncio.Event()

    async def converted(_: LineProcess, line: bytes) -> tuple[bytes, None]:
        await parsed.wait()
        return line, None

    async def story(stage: Stage) -> None:
        line = json.dumps(json.loads(LINE) | {"parameters": {"timeout": 1000}}).encode()
        response = await stage.job(job_of(line))
        answers = asyncio.create_task(answered(response.parts))
        await turns()
        # The line is in the node; the only worker gets a request before it can have it.
        blocker = stage.ask(body_of(1))
        await until(lambda: stage.session.started == 1)
        parsed.set()
        await turns()
        stage.clock.us += 999
        await turns()
        assert not answers.done()
        stage.clock.us += 1
        await turns()
        assert answers.done()
        first, last = await answers
        assert (first["status"], last["failed"]) == (503, 1)
        stage.session.release(0)
        await blocker

    monkeypatch.setattr(LineProcess, "converted", converted)
    late, _ = records(tmp_path, story)
    assert (late.error, late.total_us, late.queue_us) == ("queue_timeout", 1000, 1000)


def test_requests_come_before_a_job_and_only_so_many_lines_of_it_wait(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        response = await stage.job(job_of(LINE * 20))
        answers = asyncio.create_task(answered(response.parts))
        await until(lambda: stage.session.started == 1)
        await turns(100)
        begun = len(stage.session.batches[0])
        assert stage.node.pools.waiting == 6 - begun > 0
        urgent = stage.ask(body_of(7))
        await until(lambda: stage.session.started == 2)
        assert stage.session.batches[1] == [7]
        stage.open()
        await urgent
        assert (await answers)[-1] == {"lines": 20, "succeeded": 20, "failed": 0}

    found = records(tmp_path, story, config(max_job_lines_in_flight=6))
    assert len(found) == 21


def test_who_does_not_read_the_answers_is_not_read_either(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        response = await stage.job(job_of(LINE * 50))
        async with aclosing(response.parts) as parts:
            await anext(parts)
            await until(lambda: stage.session.started >= 2)
            await turns(200)
            assert sum(len(batch) for batch in stage.session.batches) <= 6
        assert stage.app.in_progress == 0

    assert len(records(tmp_path, story, config(max_job_lines_in_flight=5))) <= 6


@pytest.mark.parametrize("while_reading", [True, False])
def test_a_client_that_leaves_ends_its_job_and_what_was_begun_is_on_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, while_reading: bool
) -> None:
    async def story(stage: Stage) -> None:
        asked = job_of(None)
        asked.arrived(LINE * 9)
        response = await stage.job(asked)
        assert stage.app.in_progress == 1

        async def serve() -> None:
            async with aclosing(response.parts) as parts:
                async for _ in parts:
                    await asyncio.Event().wait()

        serving = asyncio.create_task(serve())
        await until(lambda: stage.session.started == 1)
        if not while_reading:
            stage.session.release(0)
            await until(lambda: stage.session.started == 2)
        # As a connection that is lost does it.
        asked.fail(ClientGoneError("the client closed the connection"))
        serving.cancel()
        await turns()
        stage.clock.us += 600
        stage.open()
        await until(serving.done)
        assert stage.app.in_progress == 0
        assert stage.node.pools.waiting == 0
        batches.extend(len(batch) for batch in stage.session.batches)

    batches: list[int] = []
    found = records(tmp_path, story, config(max_job_lines_in_flight=8))
    cut = [record for record in found if record.status == 499]
    assert {record.error for record in cut} == {"client_gone"}
    assert len(cut) >= 4
    assert sum(record.batch_size > 0 for record in found) == sum(batches)
    assert [r.batch_size for r in found if r.compute_us] == [batches[-1]] * batches[-1]
    assert all(event.levelname == "WARNING" for event in caplog.records), caplog.text


def test_a_client_that_leaves_before_the_first_answer_is_counted_out(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        asked = job_of(None)
        response = await stage.job(asked)
        task = asyncio.create_task(answered(response.parts))
        await turns()
        assert stage.app.in_progress == 1
        asked.fail(ClientGoneError("the client closed the connection"))
        task.cancel()
        await turns()
        assert stage.app.in_progress == 0

    assert records(tmp_path, story) == []


def test_a_body_that_breaks_off_is_said_to_after_the_answers_to_what_had_come(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        stage.open()
        asked = job_of(None)
        asked.arrived(LINE + b"\n" + LINE + LINE[:10])
        response = await stage.job(asked)
        task = asyncio.create_task(answered(response.parts))
        await turns()
        asked.fail(RequestTimeoutError("the body took longer than 1 s"))
        *lines, last = await task
        assert [line["line"] for line in lines] == [1, 3]
        assert last == {"error": "after line 3: the body took longer than 1 s", "status": 408}

    assert [record.status for record in records(tmp_path, story)] == [200, 200]


def test_a_stop_during_a_job_cuts_off_its_lines_which_say_so(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        response = await stage.job(job_of(LINE * 7))
        task = asyncio.create_task(answered(response.parts))
        await until(lambda: stage.session.started == 1)
        task.cancel()
        await turns()
        stage.clock.us += 100
        stage.open()
        await until(task.done)

    found = records(tmp_path, story)
    assert {(r.status, r.error) for r in found} == {(503, "node_stopping")}
    assert sorted(r.compute_us for r in found) == [0, 0, 0, 0, 0, 0, 100]


@pytest.mark.parametrize("turn", range(1, 25))
def test_a_line_that_begins_in_the_turn_in_which_its_job_is_cut_off_leaves_its_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    taken: list[str] = []

    def take(*about: Any) -> Receipt:
        receipt = Receipt(*about)
        taken.append(receipt.record_id)
        return receipt

    async def story(stage: Stage) -> None:
        response = await stage.job(job_of(LINE * 7))
        task = asyncio.create_task(answered(response.parts))
        await turns(turn)
        task.cancel()
        await turns()
        stage.open()
        await until(task.done)

    monkeypatch.setattr(jobs, "Receipt", take)
    assert sorted(record.record_id for record in records(tmp_path, story)) == sorted(taken)


def test_a_defect_costs_one_line_and_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("/srv/secret")

    async def story(stage: Stage) -> None:
        stage.open()
        monkeypatch.setattr(stage.node.app._jobs._inference, "answer", broken)
        response = await stage.job(job_of(LINE))
        line, summary = await answered(response.parts)
        assert (line["status"], line["error"]) == (500, "internal error")
        assert summary == {"lines": 1, "succeeded": 0, "failed": 1}

    [record] = records(tmp_path, story)
    assert (record.status, record.error) == (500, "internal")
    assert "/srv/secret" in caplog.text


@pytest.mark.parametrize(
    ("path", "headers", "status", "error"),
    [
        ("/v2/models/x/jobs", {}, 404, "unknown_model"),
        ("/v2/models/m/versions/9/jobs", {}, 404, "unknown_model"),
        (JOBS, {"x-priority": "now"}, 400, "invalid_request"),
        (JOBS, {"content-encoding": "gzip"}, 415, "content_coding"),
    ],
)
def test_a_job_that_is_refused_leaves_one_record_and_its_body_is_not_waited_for(
    tmp_path: Path, path: str, headers: dict[str, str], status: int, error: str
) -> None:
    async def story(stage: Stage) -> None:
        refused: Response = await complete(stage.app.handle(request("POST", path, headers, None)))
        assert refused.status == status
        assert list(json.loads(refused.body)) == ["error"]
        assert stage.app.in_progress == 0

    [record] = records(tmp_path, story)
    assert (record.status, record.error, record.priority) == (status, error, "normal")


@pytest.mark.parametrize("jobs", [True, False])
def test_more_than_may_be_handled_at_once_are_refused_jobs_among_them(
    tmp_path: Path, jobs: bool
) -> None:
    async def story(stage: Stage) -> None:
        first = await stage.job(job_of(None))
        path = JOBS if jobs else JOBS.replace("jobs", "infer")
        refused = await stage.ask(BODY, path)
        assert refused.status == 503
        assert dict(refused.headers)[b"retry-after"] == b"1"
        task = asyncio.create_task(answered(first.parts))
        await turns()
        task.cancel()
        await turns()

    [record] = records(tmp_path, story, config(max_concurrent_requests=1))
    assert record.error == "busy"
