"""Asks a Prometheus server for raw samples, by way of prometheus-api-client."""

import logging
from pathlib import Path
from typing import Any

from prometheus_api_client import PrometheusConnect
from urllib3 import Retry

from collectors.prometheus.answer_session import AnswerSession
from collectors.prometheus.bearer_token import BearerToken
from collectors.prometheus.errors import PrometheusError
from collectors.prometheus.series import Series, instant_us, read_series

logger = logging.getLogger(__name__)

# Objects made of an answer take about ten times its size.
LIMIT_BYTES = 32 * 2**20


class PrometheusClient:
    """Queries the server at `url`, where `verify` says whether its certificate is checked.

    Every answer arrives within about twice `timeout_s`, or PrometheusError is raised. Nothing is
    tried again here. Not thread-safe.
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
        session = AnswerSession(timeout_s, limit_bytes)
        session.verify = verify
        if not verify:
            logger.warning("%s: its certificate is not checked", url)
        self._connect: Any = PrometheusConnect(
            url.rstrip("/"),
            retry=Retry(0, read=False),
            auth=BearerToken(token_file) if token_file else None,
            session=session,
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._connect.close()

    def now_us(self) -> int:
        """Return the time by the server's clock, that of its samples. Raises PrometheusError."""
        answer = self._connect.custom_query("time()")
        if not isinstance(answer, list) or len(answer) != 2:
            raise PrometheusError("the answer to time() is no pair; accepted: that of Prometheus")
        return instant_us(answer[0])

    def samples(self, selector: str, after_us: int, until_us: int) -> list[Series]:
        """Return the raw samples, later than `after_us` and up to `until_us` by their own time, of
        the series that `selector` (PromQL) names.

        The times are whole seconds. Raises PrometheusError.
        """
        # A range selector, not query_range: that shows at every step the last value before it,
        # which hides resets between two steps and repeats a value for minutes.
        query = f"{selector}[{(until_us - after_us) // 1_000_000}s]"
        answer = self._connect.custom_query(query, params={"time": str(until_us // 1_000_000)})
        # Before version 3, a range has what is right at its beginning, too.
        return [series.within(after_us, until_us) for series in read_series(answer)]
