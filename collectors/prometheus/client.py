"""Asks a Prometheus server for raw samples, by way of prometheus-api-client."""

import logging
from pathlib import Path
from typing import Any

import requests
from prometheus_api_client import PrometheusConnect
from requests.auth import AuthBase
from urllib3 import Retry

from collectors.prometheus.answer_session import AnswerError, AnswerSession, TooLargeError, one_line
from collectors.prometheus.bearer_token import read_token
from collectors.prometheus.series import NonsenseError, Series, instant_us, read_series

logger = logging.getLogger(__name__)

# Objects made of an answer take about ten times its size.
LIMIT_BYTES = 32 * 2**20
# What a server says when a query asks for too much at once: too large, too many samples, too long.
TOO_MUCH = frozenset({413, 422, 503, 504})


class PrometheusError(Exception):
    """There is no answer to count on; the message is one line and holds no secret."""


class TooMuchError(PrometheusError):
    """The server gives up on so many samples at once; it may have less of them."""


class _Bearer(AuthBase):
    """A header per request, so that a changed file counts, and no .netrc takes its place."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {read_token(self._path)}"
        return request


class PrometheusClient:
    """Queries the server at `url`, where `verify` says whether its certificate is checked.

    Every answer arrives within about twice `timeout_s`, or PrometheusError is raised. Nothing is
    tried again here. Raises TokenFileError as well. Not thread-safe.
    """

    def __init__(
        self,
        url: str,
        *,
        token_file: Path | None = None,
        verify: bool | str = True,
        timeout_s: float = 30.0,
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self._timeout_s = timeout_s
        session = AnswerSession(timeout_s, limit_bytes)
        session.verify = verify
        if not verify:
            logger.warning("%s: its certificate is not checked", url)
        self._connect: Any = PrometheusConnect(
            url.rstrip("/"),
            retry=Retry(0, read=False),
            auth=_Bearer(token_file) if token_file else None,
            session=session,
            timeout=timeout_s,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._connect.close()

    def now_us(self) -> int:
        """Return the time by the server's clock, that of its samples. Raises PrometheusError."""
        answer = self._ask("time()")
        if not isinstance(answer, list) or len(answer) != 2:
            raise PrometheusError("the answer to time() is no pair; accepted: that of Prometheus")
        try:
            return instant_us(answer[0])
        except NonsenseError as error:
            raise PrometheusError(str(error)) from error

    def samples(self, selector: str, from_us: int, until_us: int) -> list[Series]:
        """Return the raw samples of the series that `selector` (PromQL) names, by their own time.

        The times are whole seconds; samples at `from_us` may be there or not, by the server's
        version. Raises PrometheusError.
        """
        # A range selector, not query_range: that shows at every step the last value before it,
        # which hides resets between two steps and repeats a value for minutes.
        range_s = (until_us - from_us) // 1_000_000
        answer = self._ask(f"{selector}[{range_s}s]", time=str(until_us // 1_000_000))
        try:
            return read_series(answer)
        except NonsenseError as error:
            raise PrometheusError(f"nonsense: {error}") from error

    def _ask(self, query: str, **parameters: str) -> object:
        try:
            return self._connect.custom_query(query, params=parameters)
        except TooLargeError as error:
            raise TooMuchError(str(error)) from error
        except AnswerError as error:
            kind = TooMuchError if error.status in TOO_MUCH else PrometheusError
            words = str(error) if error.status == 200 else f"status {error.status}: {error}"
            raise kind(words) from error
        except requests.Timeout as error:
            raise TooMuchError(f"no answer within {self._timeout_s:g} s") from error
        except requests.RequestException as error:
            raise PrometheusError(_words(error)) from error


def _words(error: BaseException) -> str:
    """Return the innermost reason, without the address that outer ones repeat."""
    seen = {id(error)}
    while True:
        inner = _cause(error)
        if inner is None or id(inner) in seen:
            break
        seen.add(id(inner))
        error = inner
    words = error.strerror if isinstance(error, OSError) else None
    return one_line(words or f"{type(error).__name__}: {error}")


def _cause(error: BaseException) -> BaseException | None:
    reasons = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    return next((reason for reason in reasons if isinstance(reason, BaseException)), None)
