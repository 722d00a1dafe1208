"""Raw samples as Prometheus' HTTP API tells them, taken exactly."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from collectors.prometheus.errors import PrometheusError

NAME = "__name__"
MICROSECONDS_PER_SECOND = 1_000_000
# Nothing that is counted comes near; what does is garbage that no column of the database holds.
LARGEST = Decimal(10) ** 17
LATEST_S = 10**11

Value = Decimal | None


@dataclass(frozen=True)
class Series:
    """The samples of one series, ascending: `times_us` and, at the same places, `values`.

    A value is None where there is none to count with: NaN, infinite, or beyond all reason.
    `labels` are without the name of the metric.
    """

    name: str
    labels: Mapping[str, str]
    times_us: Sequence[int]
    values: Sequence[Value]

    def within(self, after_us: int, until_us: int) -> "Series":
        """Return the series with its samples after `after_us` and up to `until_us` only."""
        first, end = (bisect_right(self.times_us, edge_us) for edge_us in (after_us, until_us))
        return replace(self, times_us=self.times_us[first:end], values=self.values[first:end])


def read_series(result: object) -> list[Series]:
    """Return the series in `result`, that of a query for a range vector, numbers as Decimal or int.

    Raises PrometheusError.
    """
    if not isinstance(result, list):
        raise PrometheusError(f"result is a {type(result).__name__}; accepted: a list of series")
    return [_series(item) for item in result]


def instant_us(timestamp: object) -> int:
    """Return the microseconds of a timestamp in seconds, Decimal or int. Raises PrometheusError."""
    # Compared before it is multiplied: a Decimal may be too large for arithmetic.
    if (
        isinstance(timestamp, Decimal | int)
        and not isinstance(timestamp, bool)
        and -LATEST_S < timestamp < LATEST_S
    ):
        return int(timestamp * MICROSECONDS_PER_SECOND)
    raise PrometheusError(f"timestamp is {str(timestamp)[:40]!r}; accepted: seconds")


def _series(item: object) -> Series:
    if not isinstance(item, dict) or not isinstance(item.get("metric"), dict):
        raise PrometheusError("a series has no labels; accepted: an object with metric and values")
    labels = {str(name): str(value) for name, value in item["metric"].items()}
    # A series of native histograms has none.
    samples = item.get("values", [])
    if not isinstance(samples, list):
        raise PrometheusError("values of a series are no list; accepted: a list of samples")
    found: dict[int, Value] = {}
    for sample in samples:
        if not isinstance(sample, list) or len(sample) != 2 or not isinstance(sample[1], str):
            raise PrometheusError("a sample is no pair; accepted: a timestamp and a value as text")
        found[instant_us(sample[0])] = _value(sample[1])
    times_us = sorted(found)
    return Series(labels.pop(NAME, ""), labels, times_us, [found[at_us] for at_us in times_us])


def _value(text: str) -> Value:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise PrometheusError(f"value is {text[:40]!r}; accepted: a number as text") from error
    return value if value.is_finite() and -LARGEST <= value <= LARGEST else None
