"""A whole node on models that execute when a test lets them, on the time of a test."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from msgspec import structs

from inference_node.app import App
from inference_node.config import LoggingConfig, NodeConfig, ServingConfig
from inference_node.http.request import Request
from inference_node.http.response import Response, StreamingResponse
from inference_node.log import Log
from inference_node.models.config import ResponseCacheConfig, ScalingConfig
from inference_node.models.repository import Model, ModelRepository
from inference_node.models.session import Session, Tensor
from inference_node.models.session_pool import SessionPool
from inference_node.node import Node
from tests.unit.inference_node.gated_session import GatedSession, model_of
from tests.unit.inference_node.virtual_time import ManualClock, run
from usage import UsageRecord, decode_line

START_US = 1_762_178_400_000_000
INFER = "/v2/models/m/versions/1/infer"
CONFIG = NodeConfig(serving=ServingConfig(max_body_bytes=1000))
NO_CACHE = ResponseCacheConfig()


def body_of(*values: int) -> bytes:
    """An infer request with one item for each value."""
    data = b",".join(b"%d" % value for value in values)
    return b'{"inputs": [{"name": "x", "shape": [%d, 1], "datatype": "INT64", "data": [%b]}]}' % (
        len(values),
        data,
    )


BODY = body_of(5)


def request(
    method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = b""
) -> Request:
    """A request; one whose body is None gets it later, or never."""
    pairs = {name.encode(): value.encode("latin-1") for name, value in (headers or {}).items()}
    asked = Request(method, path.encode(), pairs)
    if body is not None:
        asked.arrived(body)
        asked.ended()
    return asked


async def complete(answer: Any) -> Response:
    response = await answer
    assert isinstance(response, Response)
    return response


class BusySession(GatedSession):
    """Takes so much of the processor that its batches are left to a worker's thread: executed in
    the loop, a batch that waits for the test would hold up the test."""

    def run(self, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> list[Tensor]:
        until_ns = time.thread_time_ns() + 500_000
        while time.thread_time_ns() < until_ns:
            pass
        return super().run(inputs, outputs)


class Stage:
    """The node, with versions 1 and 2 of model `m`; `session` executes version 1, `second` 2."""

    def __init__(
        self, spool: Path, clock: ManualClock, config: NodeConfig, cache: ResponseCacheConfig
    ) -> None:
        self.clock = clock
        self.session = BusySession()
        self.second = BusySession()
        models = [self._model("1", self.session, cache), self._model("2", self.second, cache)]
        self.node = Node(
            config,
            ModelRepository(models, config, {"cpu": "cpu"}),
            None,
            spool,
            clock,
            clock.us,
            Log(LoggingConfig()),
        )
        self.app: App = self.node.app

    def _model(self, version: str, session: GatedSession, cache: ResponseCacheConfig) -> Model:
        sessions = SessionPool(
            "m",
            version,
            device="cpu",
            workers=1,
            scaling=ScalingConfig(),
            open_session=lambda: cast(Session, session),
            warm_up=lambda _: None,
            clock=self.clock,
        )
        sessions.open_first()
        model = model_of(session, version=version, delay_us=0, sessions=sessions)
        return replace(model, config=structs.replace(model.config, response_cache=cache))

    def ask(
        self,
        body: bytes | None = BODY,
        path: str = INFER,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> "asyncio.Task[Response]":
        return self.handle(request(method, path, headers, body))

    def handle(self, asked: Request) -> "asyncio.Task[Response]":
        return asyncio.create_task(complete(self.app.handle(asked)))

    async def job(self, asked: Request) -> StreamingResponse:
        """Begin a job that is not refused; its lines are in the answer's parts."""
        response = await self.app.handle(asked)
        assert isinstance(response, StreamingResponse)
        return response

    def open(self) -> None:
        """Nothing is held up from here on."""
        for session in (self.session, self.second):
            session.gated = False
            for batch in range(session.started):
                session.release(batch)


def records(
    tmp_path: Path,
    story: Callable[[Stage], Coroutine[Any, Any, None]],
    config: NodeConfig = CONFIG,
    cache: ResponseCacheConfig = NO_CACHE,
) -> list[UsageRecord]:
    """Play `story`; return the records it left."""
    clock = ManualClock(START_US)

    async def staged() -> None:
        stage = Stage(tmp_path, clock, config, cache)
        try:
            await story(stage)
        finally:
            stage.open()
            await stage.node.close()
            assert stage.app.in_progress == 0

    run(clock, staged())
    lines = b"".join(path.read_bytes() for path in sorted(tmp_path.glob("*/*/*.ndjson")))
    found = [decode_line(line) for line in lines.splitlines()]
    return [record for record in found if isinstance(record, UsageRecord)]
