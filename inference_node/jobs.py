"""Offline jobs: many infer requests, one a line, in the time that real-time work leaves."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

import msgspec
from msgspec import Struct, structs

from inference_node.clock import Clock
from inference_node.errors import (
    BodyTooLargeError,
    RequestError,
    StoppingError,
)
from inference_node.http.request import Request
from inference_node.inference import Inference, outcome, raise_if_cut_off
from inference_node.line_process import LineProcess
from inference_node.metering.receipt import Receipt
from inference_node.metering.recorder import Recorder
from inference_node.model_routing import Plan
from inference_node.models.repository import Model
from inference_node.tasks import cancel_begun

logger = logging.getLogger(__name__)

NEWLINE = b"\n"


class LineError(Struct, omit_defaults=True):
    """What a line of the answer says of a request that failed; `line` is its number in the body,
    from 1."""

    line: int
    status: int
    error: str
    record_id: str


class Summary(Struct):
    """The last line of an answer that is complete; `lines` are those that were no blank ones."""

    lines: int
    succeeded: int
    failed: int


class Jobs:
    """Executes the lines of a body, some at a time, each with a usage record of its own.

    Results leave as they are ready, not in the order of the lines. At most `lines_in_flight` of a
    job wait or are executed at once; more of its body is not read before, and no line is taken up
    while `idle_worker` does not return.
    """

    def __init__(
        self,
        inference: Inference,
        recorder: Recorder,
        clock: Clock,
        *,
        lines_in_flight: int,
        max_line_bytes: int,
        idle_worker: Callable[[], Awaitable[None]],
    ) -> None:
        self._inference = inference
        self._recorder = recorder
        self._clock = clock
        self._lines = LineProcess()
        self._lines_in_flight = lines_in_flight
        self._max_line_bytes = max_line_bytes
        self._idle_worker = idle_worker

    async def run(
        self, request: Request, model: Model, head: Receipt
    ) -> AsyncGenerator[bytes, None]:
        """Yield a line of JSON for every line of the body that is not blank, then a summary.

        A body that breaks off ends the job with a last line that says so.
        """
        caller = structs.replace(head.caller, priority="batch")
        landed: asyncio.Queue[asyncio.Task[tuple[bytes, bool]] | None] = asyncio.Queue()
        # A line has its place until its answer is taken: who does not read is not read either.
        places = asyncio.Semaphore(self._lines_in_flight)
        flights: set[asyncio.Task[tuple[bytes, bool]]] = set()
        begun = finished = succeeded = last = 0

        def land(flight: asyncio.Task[tuple[bytes, bool]]) -> None:
            flights.remove(flight)
            landed.put_nowait(flight)

        async def read() -> None:
            nonlocal begun, last
            async for number, line in _lines(request, self._max_line_bytes):
                await places.acquire()
                await self._idle_worker()
                receipt = Receipt(self._clock.now_us(), model.name, model.version, caller)
                receipt.model = model
                flight = asyncio.create_task(self._line(number, line, request, receipt))
                flights.add(flight)
                flight.add_done_callback(land)
                begun, last = begun + 1, number
                request.owe(True)

        reading = asyncio.create_task(read())
        reading.add_done_callback(lambda _: landed.put_nowait(None))
        try:
            while not reading.done() or finished < begun:
                flight = await landed.get()
                if flight is not None:
                    answer, success = flight.result()
                    finished += 1
                    succeeded += success
                    yield answer
                    request.owe(finished < begun)
                    places.release()
        finally:
            reading.cancel()
            rest = list(flights)
            for flight in rest:
                cancel_begun(flight)
            await asyncio.gather(reading, *rest, return_exceptions=True)
        failure = reading.exception()
        if failure is None:
            yield _line_of(Summary(begun, succeeded, begun - succeeded))
        elif isinstance(failure, RequestError):
            yield _line_of({"error": f"after line {last}: {failure}", "status": failure.status})
        else:
            raise failure

    async def close(self) -> None:
        """End what jobs share."""
        await self._lines.close()

    async def _line(
        self, number: int, line: bytes, request: Request, receipt: Receipt
    ) -> tuple[bytes, bool]:
        """Return the answer to one line, and whether it succeeded; write its record."""
        receipt.request_bytes = len(line)
        try:
            assert receipt.model is not None
            parts = await self._answer(line, Plan(receipt.model), receipt)
            raise_if_cut_off()
            # The answer is an object; the number of its line becomes its first member.
            body = b'{"line":%d,"record_id":"%b",%b\n' % (
                number,
                receipt.record_id.encode(),
                b"".join(parts)[1:],
            )
            self._recorder.write(receipt, 200, len(body))
        except RequestError as error:
            return self._failed(number, receipt, outcome(error, request)), False
        except asyncio.CancelledError:
            cut = request.failure or StoppingError("the node is stopping; ask another one")
            return self._failed(number, receipt, cut), False
        except Exception:
            logger.exception("a defect in the node: request %s", receipt.record_id)
            return self._failed(number, receipt, RequestError("internal error")), False
        return body, True

    async def _answer(self, line: bytes, plan: Plan, receipt: Receipt) -> list[bytes]:
        most = self._max_line_bytes
        if len(line) > most:
            raise BodyTooLargeError(f"the line has more than {most} bytes; accepted: at most that")
        body, length = await self._lines.converted(line)
        parts, _ = await self._inference.answer(body, length, plan, receipt, only_json=True)
        return parts

    def _failed(self, number: int, receipt: Receipt, error: RequestError) -> bytes:
        receipt.error = error
        body = _line_of(LineError(number, error.status, str(error)[:1000], receipt.record_id))
        self._recorder.write(receipt, error.status, len(body))
        return body


async def _lines(request: Request, max_bytes: int) -> AsyncIterator[tuple[int, bytes]]:
    """Yield the lines of the body that are not blank, without their ends, and their numbers.

    Of a line that is longer than `max_bytes` only that it is so is kept.
    """
    begun = bytearray()
    number = 1
    async for part in request.parts():
        *ends, rest = part.split(NEWLINE)
        for end in ends:
            if end or begun:
                begun += end[: max_bytes + 1 - len(begun)]
                if begun.strip() or len(begun) > max_bytes:
                    yield number, bytes(begun)
                begun.clear()
            number += 1
        begun += rest[: max_bytes + 1 - len(begun)]
    if begun.strip() or len(begun) > max_bytes:
        yield number, bytes(begun)


def _line_of(content: object) -> bytes:
    return msgspec.json.encode(content) + NEWLINE
