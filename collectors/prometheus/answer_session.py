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

PIECE_BYTES = 2**18
LONGEST_ERROR = 200


class AnswerError(Exception):
    """The server answered, and not with what was asked for; the message tells what it said."""

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.status = status


class TooLargeError(AnswerError):
    """The answer is larger than this process takes."""


class ExactAnswer(requests.Response):
    """An answer whose numbers are int or Decimal, never float."""

    def json(self, **_: Any) -> Any:
        """Return the content. Raises AnswerError when it is none of Prometheus'.

        So it is when the server says that something may be missing in it: what is stored as
        complete would never be asked for again.
        """
        try:
            content = json.loads(self.content, parse_float=Decimal)
        except (ValueError, RecursionError):
            raise AnswerError("no JSON; accepted: an answer of Prometheus' HTTP API") from None
        if not isinstance(content, dict) or "result" not in (content.get("data") or ()):
            raise AnswerError("JSON without data.result; accepted: that of Prometheus' HTTP API")
        if content.get("warnings"):
            raise AnswerError(f"may be incomplete: {one_line(content['warnings'])}")
        return content


class AnswerSession(requests.Session):
    """A session whose answers arrive within `deadline_s` and have at most `limit_bytes`, unpacked.

    Raises AnswerError for any status but 200, and what requests raises.
    """

    def __init__(self, deadline_s: float, limit_bytes: int) -> None:
        super().__init__()
        self._deadline_s = deadline_s
        self._limit_bytes = limit_bytes

    def request(self, *arguments: Any, **options: Any) -> ExactAnswer:
        """Send a request and read its whole answer."""
        give_up_at = time.monotonic() + self._deadline_s
        with warnings.catch_warnings():
            # Whoever does not want certificates to be checked knows.
            warnings.simplefilter("ignore", InsecureRequestWarning)
            response = super().request(*arguments, **{**options, "stream": True})
        with response:
            answer = ExactAnswer()
            answer.status_code = response.status_code
            answer.raw = io.BytesIO(self._read(response.raw, give_up_at))
        if answer.status_code != 200:
            raise AnswerError(_reason(answer.content, response.reason), answer.status_code)
        return answer

    def _read(self, raw: HTTPResponse, give_up_at: float) -> bytes:
        body = bytearray()
        try:
            while piece := raw.read1(PIECE_BYTES, decode_content=True):
                body += piece
                if len(body) > self._limit_bytes:
                    raise TooLargeError(f"more than {self._limit_bytes} bytes")
                if time.monotonic() > give_up_at:
                    raise requests.Timeout
        except ReadTimeoutError as error:
            raise requests.Timeout from error
        except HTTPError as error:
            raise requests.ConnectionError(error) from error
        return bytes(body)


def one_line(said: object) -> str:
    """Return `said` as a line of at most LONGEST_ERROR characters."""
    text = "; ".join(map(str, said)) if isinstance(said, list) else str(said)
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    return line if len(line) <= LONGEST_ERROR else f"{line[:LONGEST_ERROR]}..."


def _reason(body: bytes, reason: str) -> str:
    """Return what an error's body says, if it is Prometheus', else the words of the status."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return one_line(reason)
    said = content.get("error") if isinstance(content, dict) else None
    return one_line(said or reason)
