"""The node's answers: every path, and a usage record for every request to a model."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable

from inference_node.access.caller import read_caller
from inference_node.access.tokens import Identity, Tokens
from inference_node.clock import Clock
from inference_node.config import ServingConfig
from inference_node.description import Description
from inference_node.errors import (
    BusyError,
    ContentCodingError,
    RequestError,
    StoppingError,
    UnknownModelError,
)
from inference_node.http.request import Request
from inference_node.http.response import Response, StreamingResponse, error_response
from inference_node.inference import Inference, outcome
from inference_node.jobs import Jobs
from inference_node.metering.receipt import Receipt
from inference_node.metering.recorder import Recorder
from inference_node.model_control import ModelControl
from inference_node.model_routing import ModelRouting, Plan
from inference_node.request_id import request_id
from inference_node.routes import Route, find_route
from inference_node.server_control import ServerControl

logger = logging.getLogger(__name__)

# Who may always ask: a load balancer has no token.
OPEN_TO_ALL = frozenset({"live", "ready"})
DESCRIBING = (
    frozenset({"server", "stats", "metrics", "openapi", "model_ready", "config", "metadata"})
    | OPEN_TO_ALL
)
OF_MODELS = frozenset({"index", "load", "unload"})
# What changes nothing, and tells no secret of another tenant.
NOT_ONLY_FOR_ADMINS = frozenset({"index", "trace", "log"})


class App:
    """Answers requests; whatever goes wrong with one becomes an answer, too."""

    def __init__(
        self,
        routing: ModelRouting,
        inference: Inference,
        jobs: Jobs,
        description: Description,
        model_control: ModelControl,
        server_control: ServerControl,
        recorder: Recorder,
        clock: Clock,
        tokens: Tokens | None,
        limits: ServingConfig,
    ) -> None:
        self.in_progress = 0
        self._routing = routing
        self._inference = inference
        self._jobs = jobs
        self._description = description
        self._model_control = model_control
        self._server_control = server_control
        self._recorder = recorder
        self._clock = clock
        self._tokens = tokens
        self._limits = limits

    def handle(self, request: Request) -> Awaitable[Response | StreamingResponse]:
        """Answer one request."""
        try:
            route = find_route(request.method, request.path)
        except RequestError as error:
            return _at_once(error_response(error))
        if route.action == "infer":
            return self._ask(route, request)
        if route.action == "predict":
            named = Route("predict", request.query("model"), request.query("version"))
            return self._ask(named, request)
        if route.action == "jobs":
            return self._start(route, request)
        return self._tell(route, request)

    async def _tell(self, route: Route, request: Request) -> Response:
        """Answer what asks no model."""
        try:
            identity = None if route.action in OPEN_TO_ALL else self._identity(request)
            _require_model(identity, route.model)
            if route.action in DESCRIBING:
                return self._description.answer(route, request, identity)
            return await self._control(route, identity, request)
        except RequestError as error:
            return error_response(error)
        except asyncio.CancelledError:
            return error_response(request.failure or _stopping())
        except Exception:
            logger.exception("a defect in the node: %s %s", request.method, request.path[:200])
            return error_response(RequestError("internal error"))

    async def _ask(self, route: Route, request: Request) -> Response:
        """Ask a model; whatever comes of it, write a record before the answer leaves."""
        receipt = Receipt(self._clock.now_us(), route.model, route.version)
        self.in_progress += 1
        try:
            self._require_room()
            plan = self._plan(route, request, receipt)
            try:
                body = await request.body(self._limits.max_body_bytes)
            finally:
                # Counted from here: how long a client takes to send is not the node's doing.
                receipt.arrived_us = self._clock.now_us()
            if isinstance(plan, RequestError):
                raise plan  # noqa: TRY301  as any other error from here on
            if route.action == "infer":
                response = await self._inference.infer(body, request, plan, receipt)
            else:
                response = await self._inference.predict(body, request, plan, receipt)
            if request.failure is not None:  # it was executed to its end; nobody reads the answer
                response = _failed(receipt, request.failure)
        except RequestError as error:
            response = _failed(receipt, outcome(error, request))
        except asyncio.CancelledError:
            response = _failed(receipt, request.failure or _stopping())
        except Exception:
            logger.exception("a defect in the node: request %s", receipt.record_id)
            response = _failed(receipt, RequestError("internal error"))
        finally:
            self.in_progress -= 1
        return self._recorded(request, receipt, response)

    async def _start(self, route: Route, request: Request) -> Response | StreamingResponse:
        """Start a job. Each of its lines leaves a record; the job as such only if it is refused."""
        receipt = Receipt(self._clock.now_us(), route.model, route.version)
        self.in_progress += 1
        try:
            self._require_room()
            return self._start_job(route, request, receipt)
        except RequestError as error:
            response = _failed(receipt, error)
        except Exception:
            logger.exception("a defect in the node: request %s", receipt.record_id)
            response = _failed(receipt, RequestError("internal error"))
        self.in_progress -= 1
        return self._recorded(request, receipt, response)

    def _recorded(self, request: Request, receipt: Receipt, response: Response) -> Response:
        receipt.request_bytes = request.body_bytes
        response.headers.append((b"x-record-id", receipt.record_id.encode()))
        name = request_id(request)
        if name is not None:
            response.headers.append((b"x-request-id", name))
        self._recorder.write(receipt, response.status, len(response.body))
        return response

    def _plan(self, route: Route, request: Request, receipt: Receipt) -> Plan | RequestError:
        """Return what becomes of a request by what its head says, or what is wrong with that.

        An error is returned, not raised, where the body is to be read first: the client may not
        read its answer before it has sent it all. A stranger's body is not read. Whatever is known
        is on the receipt, for the record of a request whose body never arrives whole, too.
        """
        identity = self._identity(request)
        receipt.caller, complaint = read_caller(request, identity)
        _require_model(identity, route.model)
        try:
            plan = self._routing.plan(route.model, route.version, receipt.caller, receipt.record_id)
        except UnknownModelError as error:
            return error
        receipt.model, receipt.route = plan.model, plan.route
        _require_model(identity, plan.model.name)
        return plan if complaint is None else complaint

    def _start_job(self, route: Route, request: Request, receipt: Receipt) -> StreamingResponse:
        identity = self._identity(request)
        receipt.caller, complaint = read_caller(request, identity)
        _require_model(identity, route.model)
        model = receipt.model = self._routing.find(route.model, route.version)
        if complaint is not None:
            raise complaint
        if request.header("content-encoding") is not None:
            raise ContentCodingError("the body of a job is read as it comes; accepted: no coding")
        return StreamingResponse(self._counted(self._jobs.run(request, model, receipt)))

    async def _counted(self, parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        try:
            # Closed with this one, not when it is found to be garbage: a job writes records then.
            async with contextlib.aclosing(parts):
                async for part in parts:
                    yield part
        finally:
            self.in_progress -= 1

    def _identity(self, request: Request) -> Identity | None:
        """Return whom the request's token stands for, None where none is asked for.

        Raises UnauthorizedError, and that before anything of a stranger's body is read.
        """
        if self._tokens is None:
            return None
        return self._tokens.authenticate(request.header("authorization"))

    async def _control(self, route: Route, identity: Identity | None, request: Request) -> Response:
        if route.action not in NOT_ONLY_FOR_ADMINS and identity is not None:
            identity.require_admin()
        body = await request.body(self._limits.max_body_bytes)
        if route.action in OF_MODELS:
            return await self._model_control.answer(route, body, identity)
        return self._server_control.answer(route, body)

    def _require_room(self) -> None:
        if self.in_progress > self._limits.max_concurrent_requests:
            raise BusyError(f"{self.in_progress - 1} requests are being handled; try again later")


def _require_model(identity: Identity | None, model: str | None) -> None:
    """Raise ForbiddenError where a token may not ask `model`: before anybody learns whether there
    is one of that name."""
    if identity is not None and model is not None:
        identity.require_model(model)


def _failed(receipt: Receipt, error: RequestError) -> Response:
    receipt.error = error
    return error_response(error)


async def _at_once(response: Response) -> Response:
    return response


def _stopping() -> StoppingError:
    return StoppingError("the node is stopping; ask another one")
