"""Days on which cost, or the cost of a request, was not as usual, and what drove it there.

Deviations are found by costs/deviation.py, their drivers by costs/anomaly_driver.py. Figures are
floats: this is statistics, and none of it is added to money that was spent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from math import log1p

from costs.anomaly_driver import Driver, Part, find_driver
from costs.daily_series import DailySeries, Series, share_of_change
from costs.deviation import Deviation, Usual, Watched, watch

# The cost of one request is the mean of so many at least: of fewer, it is a matter of chance.
LEAST_REQUESTS = 100

Slices = Mapping[str, Mapping[str | None, "Use"]]
"""By dimension, the one to name first coming first, and by value. They may begin later."""


@dataclass(frozen=True)
class Use:
    """Cost in USD and requests answered by day; None where a day is not known.

    `requests` is None for what has none, such as time that stood idle.
    """

    usd: Series
    requests: Series | None = None


class Measure(StrEnum):
    """What was not as usual."""

    COST = "cost"
    UNIT_COST = "unit_cost"


@dataclass(frozen=True)
class Anomaly:
    """Not as usual from `day` to `last_day`; the other figures are those of `day`.

    `actual` and `usual` are in USD, or, for UNIT_COST, in USD per request. `excess_usd` is what was
    spent above what is usual, for UNIT_COST above what is usual for as many requests; below it is
    negative. `cost_change` and `requests_change` are shares of what is usual, None where that is
    nothing. `stays`: it counts as usual by now. `running`: the day is not over yet. `driver` is
    None where no slice stands out.
    """

    measure: Measure
    day: date
    last_day: date
    actual: float
    usual: Usual
    excess_usd: float
    cost_change: float | None
    requests_change: float | None
    stays: bool
    running: bool
    driver: Driver | None


@dataclass(frozen=True)
class Anomalies:
    """Anomalies, newest first, and what was usual by day for cost and for the cost of a request."""

    found: tuple[Anomaly, ...]
    cost: Watched
    unit_cost: Watched


def find_anomalies(
    first_day: date, whole: Use, slices: Slices, *, running: bool = False
) -> Anomalies:
    """Return the anomalies of `whole`, days from `first_day` on, with their drivers in `slices`.

    `slices` end with the same day; of days that they do not have there is no driver. With `running`
    the last day is not over: it is an anomaly once it cost more than is usual for a whole one. The
    first four weeks cannot be judged. A day on which both cost and the cost of a request went the
    same way is one anomaly, of cost.
    """
    ended = len(whole.usd) - running
    one_request = _of_one_request(whole, whole)
    cost = watch(first_day, whole.usd[:ended], whole.usd[-1] if running else None)
    unit_cost = watch(first_day, one_request.usd[:ended])
    told = {(seen.first, seen.up) for seen in cost.deviations}
    of_unit_cost = [seen for seen in unit_cost.deviations if (seen.first, seen.up) not in told]
    places = {seen.first for seen in (*cost.deviations, *of_unit_cost)}
    days = _Days(first_day, whole, slices, one_request, DailySeries(len(whole.usd), places))
    found = [days.of_cost(seen, running=seen.first >= ended) for seen in cost.deviations]
    found += [days.of_unit_cost(seen) for seen in of_unit_cost]
    newest_first = sorted(found, key=lambda one: (one.day, one.measure), reverse=True)
    return Anomalies(tuple(newest_first), cost, unit_cost)


@dataclass(frozen=True)
class _Days:
    """What the days are searched for drivers in."""

    first_day: date
    whole: Use
    slices: Slices
    one_request: Use
    series: DailySeries

    def of_cost(self, seen: Deviation, *, running: bool) -> Anomaly:
        driver = find_driver(
            self._parts(self.slices, seen.first), Part("", None, seen.actual, seen.usual.value)
        )
        excess_usd = seen.actual - seen.usual.value
        return self._anomaly(Measure.COST, seen, excess_usd, driver, running=running)

    def of_unit_cost(self, seen: Deviation) -> Anomaly:
        at = seen.first
        requests = self.series.on(self.whole.requests, at) or 0.0
        excess_usd = (seen.actual - seen.usual.value) * requests
        driver = self._driver_of_requests(at, requests, excess_usd)
        if driver is None:
            # Parts of one request, times the requests of the day: USD of that day again.
            whole = Part("", None, requests * seen.actual, requests * seen.usual.value)
            driver = find_driver(self._parts(self._slices_of_one_request, at, requests), whole)
        return self._anomaly(Measure.UNIT_COST, seen, excess_usd, driver, running=False)

    @cached_property
    def _slices_of_one_request(self) -> Slices:
        return {
            dimension: {value: _of_one_request(use, self.whole) for value, use in uses.items()}
            for dimension, uses in self.slices.items()
        }

    def _driver_of_requests(self, at: int, requests: float, excess_usd: float) -> Driver | None:
        """Return whose requests are more or fewer, where they changed and cost hardly did."""
        cost = self.series.change(self.whole.usd, at)
        count = self.series.change(self.whole.requests, at)
        if cost is None or count is None or not _more(count, cost):
            return None
        whole = Part("", None, requests, self.series.usual(self.whole.requests, at) or 0.0)
        driver = find_driver(self._request_parts(at), whole)
        if driver is None:
            return None
        return replace(driver, excess_usd=driver.share * excess_usd, in_requests=True)

    def _parts(self, slices: Slices, at: int, scale: float = 1.0) -> Iterator[Part]:
        on, usual = self.series.on, self.series.usual
        for dimension, uses in slices.items():
            for value, use in uses.items():
                yield Part(
                    dimension,
                    value,
                    usd=scale * (on(use.usd, at) or 0.0),
                    usual_usd=scale * (usual(use.usd, at) or 0.0),
                    requests=_scaled(on(use.requests, at), scale),
                    usual_requests=_scaled(usual(use.requests, at), scale),
                )

    def _request_parts(self, at: int) -> Iterator[Part]:
        """Yield requests where `_parts` has USD."""
        on, usual = self.series.on, self.series.usual
        for dimension, uses in self.slices.items():
            for value, use in uses.items():
                if use.requests is not None:
                    now, before = on(use.requests, at) or 0.0, usual(use.requests, at) or 0.0
                    yield Part(dimension, value, now, before)

    def _anomaly(
        self,
        measure: Measure,
        seen: Deviation,
        excess_usd: float,
        driver: Driver | None,
        *,
        running: bool,
    ) -> Anomaly:
        return Anomaly(
            measure=measure,
            day=self.first_day + timedelta(seen.first),
            last_day=self.first_day + timedelta(seen.last),
            actual=seen.actual,
            usual=seen.usual,
            excess_usd=excess_usd,
            cost_change=(
                share_of_change(seen.actual, seen.usual.value)
                if measure is Measure.COST
                else self.series.change(self.whole.usd, seen.first)
            ),
            requests_change=self.series.change(self.whole.requests, seen.first),
            stays=seen.stays,
            running=running,
            driver=driver,
        )


def _of_one_request(use: Use, whole: Use) -> Use:
    """Return what `use` is of one request of `whole`, None on days of few requests."""
    counts = whole.requests or [None] * len(whole.usd)

    def each(series: Series) -> Series:
        return [
            None if value is None or count is None or count < LEAST_REQUESTS else value / count
            for value, count in zip(series, counts[len(counts) - len(series) :], strict=True)
        ]

    return Use(each(use.usd), None if use.requests is None else each(use.requests))


def _more(change: float, than: float) -> bool:
    """Return whether the first change is of a larger factor, up or down, than the second."""
    if -1 in (change, than):
        return change < than
    return abs(log1p(change)) > abs(log1p(than))


def _scaled(value: float | None, scale: float) -> float | None:
    return None if value is None else scale * value
