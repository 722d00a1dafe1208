"""HTTP answers that are whole, come in time, fit into memory, and keep their numbers exact."""

import io
import json
import time
import warnings
from decimal import Decimal
from typing import Any

import requests
from urllib3 import HTTPResponse
from urllib3.exceptions import HTTPError, InsecureRequestWarning, ReadTimeoutError

from collectors.prometheus.errors import PrometheusError, TooMuchError

PIECE_BYTES = 2**18
LONGEST_ERROR = 200
# What a server says when a query asks for too much at once: too large, too many samples, too long.
TOO_MUCH = frozenset({413, 422, 503, 504})


class ExactAnswer(requests.Response):
    """An answer whose numbers are int or Decimal, never float."""

    def json(self, **_: Any) -> Any:
        """Return the content. Raises PrometheusError when it is none of Prometheus'.

        So it is when the server says that something may be missing in it: what is stored as
        complete would never be asked for again.
        """
        try:
            content = json.loads(self.content, parse_float=Decimal)
        except (ValueError, RecursionError):
            raise PrometheusError("no JSON; accepted: an answer of Prometheus' HTTP API") from None
        if not isinstance(content, dict) or "result" not in (content.get("data") or ()):
            raise PrometheusError(
                "JSON without data.result; accepted: that of Prometheus' HTTP API"
            )
        if content.get("warnings"):
            raise PrometheusError(f"may be incomplete: {_one_line(content['warnings'])}")
        return content


class AnswerSession(requests.Session):
    """A session whose answers have status 200, arrive within about twice `deadline_s`, and have at
    most `limit_bytes` when unpacked.

    Raises PrometheusError for all others, and that alone.
    """

    def __init__(self, deadline_s: float, limit_bytes: int) -> None:
        super().__init__()
        self._deadline_s = deadline_s
        self._limit_bytes = limit_bytes

    def request(self, *arguments: Any, **options: Any) -> ExactAnswer:
        """Send a request and read its whole answer."""
        give_up_at = time.monotonic() + self._deadline_s
        options |= {"stream": True, "timeout": self._deadline_s}
        try:
            with warnings.catch_warnings():
                # Whoever does not want certificates to be checked knows.
                warnings.simplefilter("ignore", InsecureRequestWarning)
                response = super().request(*arguments, **options)
            with response:
                content = self._read(response.raw, give_up_at)
        except (requests.Timeout, ReadTimeoutError) as error:
            raise TooMuchError(f"no answer within {self._deadline_s:g} s") from error
        # Not only what requests has for it: a missing ca_file is an OSError, a host that is no name
        # an error of urllib3.
        except (OSError, HTTPError) as error:
            raise PrometheusError(_words(error)) from error
        if response.status_code != 200:
            kind = TooMuchError if response.status_code in TOO_MUCH else PrometheusError
            raise kind(f"status {response.status_code}: {_reason(content, response.reason)}")
        answer = ExactAnswer()
        answer.status_code = response.status_code
        answer.raw = io.BytesIO(content)
        return answer

    def _read(self, raw: HTTPResponse, give_up_at: float) -> bytes:
        body = bytearray()
        while piece := raw.read1(PIECE_BYTES, decode_content=True):
            body += piece
            if len(body) > self._limit_bytes:
                raise TooMuchError(f"more than {self._limit_bytes} bytes")
            if time.monotonic() > give_up_at:
                raise requests.Timeout
        return bytes(body)


def _reason(body: bytes, reason: str) -> str:
    """Return what an error's body says, if it is Prometheus', else the words of the status."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return _one_line(reason)
    said = content.get("error") if isinstance(content, dict) else None
    return _one_line(said or reason)


def _words(error: BaseException) -> str:
    """Return the innermost reason, without the address that outer ones repeat."""
    seen = {id(error)}
    while (inner := _cause(error)) is not None and id(inner) not in seen:
        seen.add(id(inner))
        error = inner
    words = error.strerror if isinstance(error, OSError) else None
    return _one_line(words or f"{type(error).__name__}: {error}")


def _cause(error: BaseException) -> BaseException | None:
    reasons = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    return next((reason for reason in reasons if isinstance(reason, BaseException)), None)


def _one_line(said: object) -> str:
    """Return `said` as a line of at most LONGEST_ERROR characters."""
    text = "; ".join(map(str, said)) if isinstance(said, list) else str(said)
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST_ERROR else f"{line[:LONGEST_ERROR]}..."
