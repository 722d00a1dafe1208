"""Sends the single requests of a replay and finds out what became of each."""

import asyncio
import errno
import re
from time import perf_counter
from types import SimpleNamespace

import aiohttp
import msgspec
from yarl import URL

from inference_node.replay.images import ReplayImages
from inference_node.replay.report import Tally

# Below the keep-alive time of common servers (5 s and more), so that the client, not the node, is
# the one to close an idle connection: a request may otherwise be sent into a closing one.
KEEPALIVE_S = 2.0

LABELS_OF_TENANT = {
    "shop": "team=commerce,project=checkout",
    "search": "team=search,project=ranking",
    "lab": "team=research,project=experiments",
}


def open_session(timeout_s: float) -> aiohttp.ClientSession:
    """Return a session for a Sender; a request without an answer after `timeout_s` is lost."""

    async def note_send(
        _session: aiohttp.ClientSession,
        context: SimpleNamespace,
        _chunk: aiohttp.TraceRequestChunkSentParams,
    ) -> None:
        context.trace_request_ctx.sent_s = perf_counter()

    # The body is one chunk, written together with the head in the same turn of the event loop.
    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(note_send)
    return aiohttp.ClientSession(
        # No limit: a request that waited for a free connection would not be sent when it is due.
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=None, keepalive_timeout=KEEPALIVE_S),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[trace],
    )


class _Answer(msgspec.Struct):
    """What the replay reads of an answer; the node may say more."""

    class_: str = msgspec.field(name="class")


class _Attempt:
    """When a request was handed to its connection, None until then."""

    __slots__ = ("sent_s",)

    def __init__(self) -> None:
        self.sent_s: float | None = None


class Sender:
    """Sends single requests and tallies what comes of each."""

    def __init__(
        self, session: aiohttp.ClientSession, url: URL, images: ReplayImages, tally: Tally
    ) -> None:
        self._session = session
        self._url = url
        self._images = images
        self._tally = tally
        self._answers = msgspec.json.Decoder(_Answer)

    async def send(self, due_s: float, key: int, tenant: str, priority: str) -> None:
        """Send one request and tally its outcome; raises nothing but its own cancellation."""
        image = key % len(self._images)
        attempt = _Attempt()
        try:
            async with self._session.post(
                self._url,
                data=self._images.bodies[image],
                headers=_headers(tenant, priority),
                allow_redirects=False,
                trace_request_ctx=attempt,
            ) as response:
                body = await response.read()
            answered_s = perf_counter()
        except asyncio.CancelledError:
            self._lost(attempt, due_s, "abandoned")
            raise
        except (aiohttp.ClientError, OSError) as error:
            self._lost(attempt, due_s, _kind(error))
            return
        # An answer may overtake the request it refuses; the request then counts as sent with it.
        sent_s = answered_s if attempt.sent_s is None else attempt.sent_s
        self._tally.send(due_s, sent_s)
        right = response.status == 200 and self._class_of(body) == self._images.labels[image]
        self._tally.answer(
            response.status, right=right, due_s=due_s, sent_s=sent_s, answered_s=answered_s
        )

    def _lost(self, attempt: _Attempt, due_s: float, kind: str) -> None:
        if attempt.sent_s is None:
            self._tally.not_sent[kind] += 1
        else:
            self._tally.send(due_s, attempt.sent_s)
            self._tally.errors[kind] += 1

    def _class_of(self, body: bytes) -> str | None:
        try:
            return self._answers.decode(body).class_
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None


def connect_kind(error: OSError) -> str:
    """Return a short name for why no connection came about."""
    if error.errno == errno.ECONNREFUSED or isinstance(error, ConnectionRefusedError):
        return "refused"
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return "too many open files"
    return "no connection"


def _headers(tenant: str, priority: str) -> dict[str, str]:
    # A comma separates labels and an equals sign their parts: neither may come from the name.
    name = re.sub("[,=]", "_", tenant)
    return {
        "content-type": "image/png",
        "x-tenant": tenant,
        "x-priority": priority,
        "x-origin": "replay",
        "x-labels": LABELS_OF_TENANT.get(tenant, f"team={name},project={name}"),
    }


def _kind(error: aiohttp.ClientError | OSError) -> str:
    """Return a short name for what became of a request that was not answered."""
    match error:
        case TimeoutError():
            return "timeout"
        case aiohttp.ClientConnectorError():
            return connect_kind(error.os_error)
        case OSError():
            return "reset"
        case aiohttp.ClientConnectionError():
            return "disconnected"
        case aiohttp.ClientPayloadError():
            return "truncated"
        case aiohttp.ClientResponseError():
            return "malformed"
    return "failed"
