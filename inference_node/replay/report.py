"""What a replay did and what came of it, and the tally that adds it up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

# The samples a percentile is taken of: a replay that runs for days keeps the newest, not all.
NEWEST_SAMPLES = 1_000_000


@dataclass(frozen=True)
class LatencyMs:
    """Percentiles of a latency in milliseconds."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True)
class ReplayReport:
    """The outcome of a replay. Every scheduled request is counted exactly once:

    requests_scheduled = requests_sent + sum of not_sent
    requests_sent = sum of responses + sum of errors

    requests_sent: requests whose head and body were handed to an established connection.
        not_sent, by kind: those for which no connection came about, so the node never saw them.
    responses, by HTTP status: requests answered in full. errors, by kind: requests sent and not
        answered. Whether one of these reached the node its sender cannot know, so the node has
        recorded at least sum of responses and at most requests_sent of them.
    accuracy: share of the answers with status 200 whose class equals the label, None without any.
    latency_ms: from the instant a request was scheduled to its answer read in full, over answers
        with status 200; latency_from_send_ms: the same from the send. The first is what a user
        sees: it counts the wait that a stalled client or node imposes on requests not yet sent
        (coordinated omission; Tene, How NOT to Measure Latency, 2013).
    send_lag_ms_p99: 99th percentile of send minus schedule, over all requests sent.
    duration_s: from the start of the schedule to the last outcome. stopped: whether the replay
        was stopped before the last request of the schedule had its outcome.
    Percentiles are of the newest NEWEST_SAMPLES samples, None where there is none.
    """

    requests_scheduled: int
    requests_sent: int
    not_sent: Mapping[str, int]
    responses: Mapping[int, int]
    errors: Mapping[str, int]
    accuracy: float | None
    latency_ms: LatencyMs | None
    latency_from_send_ms: LatencyMs | None
    send_lag_ms_p99: float | None
    duration_s: float
    stopped: bool

    def as_json(self) -> str:
        """Return the report as one line of JSON, without a newline."""
        return msgspec.json.encode(self).decode()

    def as_table(self) -> str:
        """Return the report as lines of `name  value`, ended by a newline."""
        rows = {
            "requests scheduled": str(self.requests_scheduled),
            "requests sent": str(self.requests_sent),
            "not sent": _counts(self.not_sent),
            "responses by status": _counts(self.responses),
            "errors": _counts(self.errors),
            "accuracy": "-" if self.accuracy is None else f"{self.accuracy:.2%}",
            "latency p50 / p95 / p99": _latency(self.latency_ms),
            "  from the send": _latency(self.latency_from_send_ms),
            "send lag p99": _latency(self.send_lag_ms_p99),
            "duration": f"{self.duration_s:.1f} s" + (" (stopped)" if self.stopped else ""),
        }
        return "".join(f"{name:<26}{value}\n" for name, value in rows.items())


class Tally:
    """Counts outcomes as they come in; instants are seconds on one monotonic clock."""

    def __init__(self) -> None:
        self.scheduled = 0
        self.sent = 0
        self.not_sent: Counter[str] = Counter()
        self.responses: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.right = 0
        self._latency_s = _NewestSamples()
        self._latency_from_send_s = _NewestSamples()
        self._send_lag_s = _NewestSamples()

    def send(self, due_s: float, sent_s: float) -> None:
        """Count a request handed to a connection."""
        self.sent += 1
        self._send_lag_s.add(sent_s - due_s)

    def answer(
        self, status: int, *, right: bool, due_s: float, sent_s: float, answered_s: float
    ) -> None:
        """Count an answer read in full."""
        self.responses[status] += 1
        if status == 200:
            self.right += right
            self._latency_s.add(answered_s - due_s)
            self._latency_from_send_s.add(answered_s - sent_s)

    def report(self, *, duration_s: float, stopped: bool) -> ReplayReport:
        """Return the report of everything counted so far."""
        answers = self.responses[200]
        lag_ms = self._send_lag_s.percentiles_ms(99)
        return ReplayReport(
            requests_scheduled=self.scheduled,
            requests_sent=self.sent,
            not_sent=dict(sorted(self.not_sent.items())),
            responses=dict(sorted(self.responses.items())),
            errors=dict(sorted(self.errors.items())),
            accuracy=self.right / answers if answers else None,
            latency_ms=self._latency_s.latency_ms(),
            latency_from_send_ms=self._latency_from_send_s.latency_ms(),
            send_lag_ms_p99=lag_ms[0] if lag_ms else None,
            duration_s=duration_s,
            stopped=stopped,
        )


class _NewestSamples:
    """A ring of the newest NEWEST_SAMPLES durations in seconds."""

    def __init__(self) -> None:
        # Memory is taken page by page as it is written, so an unused ring costs nothing.
        self._ring = np.empty(NEWEST_SAMPLES)
        self._count = 0

    def add(self, duration_s: float) -> None:
        self._ring[self._count % NEWEST_SAMPLES] = duration_s
        self._count += 1

    def percentiles_ms(self, *percents: float) -> list[float]:
        """Return one percentile in milliseconds for each of `percents`, none without samples."""
        samples_s = self._ring[: min(self._count, NEWEST_SAMPLES)]
        if not samples_s.size:
            return []
        return [round(float(value) * 1e3, 3) for value in np.percentile(samples_s, percents)]

    def latency_ms(self) -> LatencyMs | None:
        percentiles = self.percentiles_ms(50, 95, 99)
        return LatencyMs(*percentiles) if percentiles else None


def _counts(counts: Mapping[str, int] | Mapping[int, int]) -> str:
    return ", ".join(f"{kind}: {count}" for kind, count in counts.items()) or "0"


def _latency(value: LatencyMs | float | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, LatencyMs):
        return f"{value.p50:.1f} / {value.p95:.1f} / {value.p99:.1f} ms"
    return f"{value:.1f} ms"
