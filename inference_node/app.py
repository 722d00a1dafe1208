"""The node as an ASGI application: routes, and a usage record for every request to a model."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version

from inference_node.access.caller import read_caller
from inference_node.clock import Clock
from inference_node.errors import (
    InvalidRequestError,
    MethodNotAllowedError,
    NotFoundError,
    RequestError,
    StoppingError,
)
from inference_node.http.messages import (
    Receive,
    Request,
    Response,
    Scope,
    Send,
    error_response,
    json_response,
)
from inference_node.inference import Inference
from inference_node.metering.meter import Meter
from inference_node.metering.metrics import Metrics
from inference_node.metering.receipt import Receipt
from inference_node.models.repository import Model, ModelRepository
from inference_node.protocol.infer import model_metadata

logger = logging.getLogger(__name__)

Ask = Callable[[bytes, Model, Receipt], Awaitable[Response]]


@dataclass(frozen=True)
class _Question:
    """A request to a model: how it is asked, and which model it names."""

    ask: Ask
    model: str | None
    version: str | None


class App:
    """ASGI 3 application; `node_id` and `boot_id` go on every record."""

    def __init__(
        self,
        repository: ModelRepository,
        inference: Inference,
        meter: Meter,
        metrics: Metrics,
        clock: Clock,
        *,
        node_id: str,
        boot_id: str,
        max_body_bytes: int,
    ) -> None:
        self.ready = False
        self._repository = repository
        self._inference = inference
        self._meter = meter
        self._metrics = metrics
        self._clock = clock
        self._node_id = node_id
        self._boot_id = boot_id
        self._max_body_bytes = max_body_bytes
        self._seq = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            question = self._question(request)
            if question is not None:
                response = await self._answer(question, request)
            else:
                response = self._describe(request)
        except RequestError as error:
            response = error_response(error)
        await response.send(send)

    async def _answer(self, question: _Question, request: Request) -> Response:
        """Ask the model; whatever comes of it, write a record before the answer leaves."""
        receipt = Receipt(
            self._node_id,
            self._boot_id,
            self._clock.now_us(),
            question.model,
            question.version,
        )
        request_id = request.header("x-request-id")
        headers = [(b"x-record-id", receipt.record_id.encode())]
        if request_id:
            headers.append((b"x-request-id", request_id.encode("latin-1", "replace")))
        try:
            response = await self._ask(question, request, receipt)
        except RequestError as error:
            receipt.error = error
            response = error_response(error)
        except asyncio.CancelledError:
            receipt.error = StoppingError("the node is stopping; ask another one")
            response = error_response(receipt.error)
        except Exception:
            logger.exception("a defect in the node: request %s", receipt.record_id)
            receipt.error = RequestError("internal error")
            response = error_response(receipt.error)
        receipt.request_bytes = request.body_bytes
        response.add_headers(headers)
        self._seq += 1
        record = receipt.record(
            self._seq, self._clock.now_us(), response.status, len(response.body)
        )
        self._meter.add(record)
        self._metrics.count(record)
        return response

    async def _ask(self, question: _Question, request: Request, receipt: Receipt) -> Response:
        # What the head says is on the record of a request whose body never arrives whole, too.
        receipt.caller, complaints = read_caller(request)
        try:
            model = receipt.model = self._repository.find(question.model, question.version)
        finally:
            body = await request.body(self._max_body_bytes)
            # Counted from here: how long a client takes to send its body is not the node's doing.
            receipt.arrived_us = self._clock.now_us()
        if complaints:
            raise InvalidRequestError("; ".join(complaints))
        return await question.ask(body, model, receipt)

    def _question(self, request: Request) -> _Question | None:
        """Return what a request to a model asks, None when it is no such request."""
        if request.path == "/predict":
            _require("POST", request)
            return _Question(
                self._inference.predict, request.query("model"), request.query("version")
            )
        match request.path.split("/"):
            case ["", "v2", "models", model, "infer"]:
                _require("POST", request)
                return _Question(self._inference.infer, model, None)
            case ["", "v2", "models", model, "versions", number, "infer"]:
                _require("POST", request)
                return _Question(self._inference.infer, model, number)
        return None

    def _describe(self, request: Request) -> Response:
        """Answer what can be said without asking a model."""
        match request.path.split("/"):
            case ["", "v2", "health", "live"]:
                response = Response(200)
            case ["", "v2", "health", "ready"]:
                response = Response(200 if self.ready else 503)
            case ["", "v2"]:
                response = json_response(
                    {
                        "name": "inference_node",
                        "version": version("inference-cost"),
                        "extensions": [],
                    }
                )
            case ["", "v2", "models", model]:
                response = self._metadata(self._repository.find(model, None))
            case ["", "v2", "models", model, "versions", number]:
                response = self._metadata(self._repository.find(model, number))
            case ["", "v2", "models", model, "ready"]:
                self._repository.find(model, None)
                response = Response(200 if self.ready else 503)
            case ["", "v2", "models", model, "versions", number, "ready"]:
                self._repository.find(model, number)
                response = Response(200 if self.ready else 503)
            case ["", "metrics"]:
                response = Response(
                    200, self._metrics.expose(), self._metrics.content_type.encode()
                )
            case _:
                raise NotFoundError(f"no such path: {request.path[:200]}")
        _require("GET", request)
        return response

    def _metadata(self, model: Model) -> Response:
        return json_response(model_metadata(model, self._repository.versions(model.name)))


def _require(method: str, request: Request) -> None:
    if request.method != method:
        raise MethodNotAllowedError(f"{request.path} takes {method}, not {request.method}")
