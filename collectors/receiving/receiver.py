"""The HTTP side of the receiver: what a sender asks, and what it is answered.

`docs/receiver.md` has the protocol. Every answer is JSON; where the boot is known it carries the
position reached, from which the sender goes on.
"""

import asyncio
import logging
from typing import Any, Final

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from collectors.receiving.bearer_tokens import BearerTokens
from collectors.receiving.boot_inbox import InboxError
from collectors.receiving.inbox import Inbox
from collectors.receiving.request_body import RequestError
from collectors.receiving.upload import GapError, UploadError
from collectors.receiving.upload_request import BOOT_PATH, UPLOAD_PATH, boot_of, upload_of
from usage import Position

logger = logging.getLogger(__name__)

LIMIT_BYTES: Final = 64 * 2**20
KEPT_HEADERS: Final = ("Allow", "WWW-Authenticate")


class Receiver:
    """Answers senders. `tokens` None lets everybody send; `limit_bytes` is of a body, unpacked."""

    def __init__(
        self, inbox: Inbox, tokens: BearerTokens | None, *, limit_bytes: int = LIMIT_BYTES
    ) -> None:
        self._inbox = inbox
        self._tokens = tokens
        self._limit_bytes = limit_bytes
        self._failing: set[tuple[str, str]] = set()
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def application(self) -> web.Application:
        """Return the routes; the runner must leave bodies packed."""
        application = web.Application(middlewares=[self._counted, _json_errors])
        application.router.add_get("/healthz", _healthz)
        application.router.add_get(BOOT_PATH, self._position)
        application.router.add_post(UPLOAD_PATH, self._upload)
        return application

    async def until_idle(self) -> None:
        """Return when no request is being answered."""
        await self._idle.wait()

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._in_flight += 1
        self._idle.clear()
        try:
            return await handler(request)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def _position(self, request: web.Request) -> web.Response:
        self._require_token(request)
        boot = boot_of(request)
        try:
            reached = await asyncio.to_thread(self._inbox.reached, *boot)
        except InboxError as error:
            return self._unavailable(boot, error)
        return _answer(200, reached)

    async def _upload(self, request: web.Request) -> web.Response:
        self._require_token(request)
        boot = boot_of(request)
        status, words = 200, None
        try:
            try:
                upload = await upload_of(request, self._limit_bytes)
                reached = await asyncio.to_thread(self._inbox.add, *boot, upload)
            except (RequestError, UploadError) as error:
                status, words = _status(error), str(error)
                reached = await asyncio.to_thread(self._inbox.reached, *boot)
        except InboxError as error:
            return self._unavailable(boot, error)
        if status == 200 and boot in self._failing:
            self._failing.discard(boot)
            logger.info("%s/%s: received again", *boot)
        return _answer(status, reached, words)

    def _require_token(self, request: web.Request) -> None:
        if self._tokens is None or self._tokens.allow(request.headers.get("Authorization")):
            return
        raise web.HTTPUnauthorized(
            text="accepted: header authorization with Bearer and a token of this receiver",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _unavailable(self, boot: tuple[str, str], error: InboxError) -> web.Response:
        if boot not in self._failing:
            self._failing.add(boot)
            logger.error("%s; its sender keeps the lines and tries again", error)
        return _answer(503, error.reached, f"not stored now: {error.reason}; try again")


@web.middleware
async def _json_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RequestError as error:
        return _answer(error.status, None, str(error))
    except web.HTTPException as error:
        kept = {name: error.headers[name] for name in KEPT_HEADERS if name in error.headers}
        return _answer(error.status, None, _words(request, error), kept)
    except Exception:
        logger.exception("a defect in the receiver")
        return _answer(500, None, "a defect in the receiver; its log tells more")


async def _healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _status(error: RequestError | UploadError) -> int:
    if isinstance(error, RequestError):
        return error.status
    return 409 if isinstance(error, GapError) else 400


def _words(request: web.Request, error: web.HTTPException) -> str:
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"method is {error.method}; accepted: {', '.join(sorted(error.allowed_methods))}"
    if isinstance(error, web.HTTPNotFound):
        return f"path is {request.path[:200]!r}; accepted: {BOOT_PATH} and {UPLOAD_PATH}"
    return error.text or error.reason


def _answer(
    status: int,
    reached: Position | None,
    words: str | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    content: dict[str, Any] = {} if words is None else {"error": words}
    if reached is not None:
        content |= {"segment": reached.segment, "offset": reached.offset}
    return web.Response(
        status=status,
        body=msgspec.json.encode(content) + b"\n",
        content_type="application/json",
        headers=headers,
    )
