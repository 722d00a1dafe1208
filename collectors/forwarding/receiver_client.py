"""The sender's side of the receiver's protocol, over one connection that is kept open."""

import gzip
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlencode

import msgspec

from collectors.http_address import ACCEPTED, split_address
from usage import Boot, Position

# Of one connect, one send or one wait for the answer.
TIMEOUT_S = 30.0
LONGEST_ANSWER_BYTES = 2**16
# Below it, packing saves no packet.
PACKED_FROM_BYTES = 1_000


class ReceiverError(Exception):
    """What was asked has not been done; the message says why."""


class AddressError(ReceiverError):
    """The receiver's address is none."""


class UnreachableError(ReceiverError):
    """No answer, or one that is not a receiver's: it is down, or another thing is in its place."""


class TokenRefusedError(ReceiverError):
    """The receiver does not know the token, or got none. To try again is of no use."""


class RefusedError(ReceiverError):
    """The receiver has not taken the lines of this boot: not now, or not as they are."""


@dataclass(frozen=True)
class Answer:
    """Where the receiver wants this boot to go on. `accepted` is false when that is somewhere else
    than what was sent begins: nothing of it was stored, `words` say why."""

    reached: Position
    accepted: bool = True
    words: str = ""


class _Content(msgspec.Struct):
    segment: int | None = None
    offset: int | None = None
    error: str = ""


class ReceiverClient:
    """Asks the receiver at `url`, showing `token` where there is one. Not thread-safe.

    Raises AddressError. The other ReceiverErrors are those of every method.
    """

    def __init__(self, url: str, token: str | None, *, timeout_s: float = TIMEOUT_S) -> None:
        try:
            parts = split_address(url)
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            self._connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
        except (ValueError, HTTPException):
            raise AddressError(f"--to is no address; accepted: {ACCEPTED}") from None
        self._prefix = parts.path.rstrip("/")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def close(self) -> None:
        """Let go of the connection; the next request opens another."""
        self._connection.close()

    def reached(self, boot: Boot) -> Answer:
        """Ask how far the receiver has `boot`."""
        return self._ask("GET", self._path(boot))

    def send(
        self, boot: Boot, start: Position, body: bytes, *, stray_end: int | None = None
    ) -> Answer:
        """Send whole lines that begin at `start`, or with `stray_end` bytes that are no line."""
        path = f"{self._path(boot)}/{start.segment}/{start.offset}"
        if stray_end is not None:
            path += "?" + urlencode({"stray_end": stray_end})
        headers = {"Content-Type": "application/x-ndjson"}
        if len(body) >= PACKED_FROM_BYTES:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return self._ask("POST", path, body, headers)

    def _path(self, boot: Boot) -> str:
        return f"{self._prefix}/v1/spool/{boot.node_id}/{boot.boot_id}"

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        # What was kept open may have been closed meanwhile, and to send twice does no harm.
        attempts = 2 if self._connection.sock is not None else 1
        for attempt in range(1, attempts + 1):
            try:
                self._connection.request(method, path, body, self._headers | (headers or {}))
                response = self._connection.getresponse()
                content = response.read(LONGEST_ANSWER_BYTES)
            except (OSError, HTTPException) as error:
                self.close()
                if attempt == attempts or isinstance(error, TimeoutError):
                    raise UnreachableError(_words(error)) from error
            else:
                if not response.isclosed():
                    self.close()
                return _answer(response, content)
        raise AssertionError("the last attempt returns or raises")


def _answer(response: HTTPResponse, content: bytes) -> Answer:
    status = response.status
    try:
        said = msgspec.json.decode(content, type=_Content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        said = _Content()
    words = f"status {status}: {said.error or response.reason}"
    if status in (401, 403):
        raise TokenRefusedError(f"the receiver refuses the token: {words}")
    if status in (200, 409) and said.segment is not None and said.offset is not None:
        return Answer(Position(said.segment, said.offset), status == 200, words)
    if said.error:
        raise RefusedError(words)
    raise UnreachableError(f"{words}; accepted: the answer of a receiver")


def _words(error: OSError | HTTPException) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error) or type(error).__name__
    return f"no answer of a receiver ({type(error).__name__})"
