"""The eight figures that answer "what does it cost, how fast is it, how busy is the machine"."""

from dataclasses import dataclass

from costs import to_usd
from dashboard.change import (
    NOTHING_BEFORE,
    Change,
    Polarity,
    points_change,
    relative_change,
)
from dashboard.formatting import count, duration_ms, percent, significant, span, usd
from dashboard.steps import complete_steps, covered_us, drawable_steps
from dashboard.tile import Detail, Promise, Tile
from reports import Figures, LatencyTargets, Overview, Targets

LOWER, NEUTRAL, HIGHER = (
    Polarity.LOWER_IS_BETTER,
    Polarity.NEUTRAL,
    Polarity.HIGHER_IS_BETTER,
)
MONEY_FIGURES = ("spend_usd_per_hour", "usd_per_1000", "idle_share")


@dataclass(frozen=True)
class Headline:
    """An overview read as tiles; `step_us` is the length of one step of its trend."""

    overview: Overview
    targets: Targets
    step_us: int

    def tiles(self) -> list[Tile]:
        """Return the eight tiles in reading order: money, load, latency, machine, errors."""
        return [
            self._spend(),
            self._unit_cost(),
            self._request_rate(),
            self._requests(),
            self._latency(),
            self._utilization(),
            self._idle_share(),
            self._error_rate(),
        ]

    @property
    def _now(self) -> Figures:
        return self.overview.current

    @property
    def _unpriced(self) -> bool:
        """Whether nothing is known of the cost: no machine sampled, or none of them priced."""
        return not any(fleet.price for fleet in self.overview.fleets)

    def _trend(self, figure: str) -> list[float | None]:
        steps = drawable_steps(self.overview, self.step_us)
        return [getattr(step, figure) for _, step in steps]

    def _value(self, figure: str) -> float | None:
        if figure in MONEY_FIGURES and self._unpriced:
            return None
        value: float | None = getattr(self._now, figure)
        return value

    def _relative(self, figure: str, polarity: Polarity) -> Change:
        if self.overview.previous is None:
            return NOTHING_BEFORE
        before = getattr(self.overview.previous, figure)
        return relative_change(self._value(figure), before, polarity)

    def _points(self, figure: str, polarity: Polarity) -> Change:
        if self.overview.previous is None:
            return NOTHING_BEFORE
        before = getattr(self.overview.previous, figure)
        return points_change(self._value(figure), before, polarity)

    def _highest(self, figure: str) -> float | None:
        return max((v for v in self._trend(figure) if v is not None), default=None)

    def _spend(self) -> Tile:
        now = self._now
        return Tile(
            key="spend",
            label="Spend per hour",
            value=usd(self._value("spend_usd_per_hour")),
            unit="USD/h",
            definition="What the machines cost per hour while they ran: price times uptime, "
            "idle time included.",
            change=self._relative("spend_usd_per_hour", LOWER),
            trend=[] if self._unpriced else self._trend("spend_usd_per_hour"),
            details=(
                Detail("used by requests", f"{usd(now.direct_usd_per_hour)} USD/h"),
                Detail("idle", f"{usd(now.idle_usd_per_hour)} USD/h"),
            ),
        )

    def _unit_cost(self) -> Tile:
        per_1000 = self._value("usd_per_1000")
        per_request = None if per_1000 is None else per_1000 * 1000
        total = None if self._unpriced else float(self._now.machine_usd)
        return Tile(
            key="unit-cost",
            label="Cost per 1,000 requests",
            value=usd(per_1000),
            unit="USD",
            definition="All machine cost of the window, idle time included, divided by the "
            "successful requests, times 1,000.",
            change=self._relative("usd_per_1000", LOWER),
            trend=self._trend("usd_per_1000"),
            details=(
                Detail("one successful request", f"{significant(per_request)} \N{MICRO SIGN}USD"),
                Detail("whole window", f"{usd(total)} USD"),
            ),
        )

    def _request_rate(self) -> Tile:
        highest = significant(self._highest("requests_per_s"))
        return Tile(
            key="request-rate",
            label="Requests per second",
            value=significant(self._now.requests_per_s),
            unit="/s",
            definition="Requests that arrived, failed ones included, per second of the window "
            "that the data covers.",
            change=self._relative("requests_per_s", NEUTRAL),
            trend=self._trend("requests_per_s"),
            details=(Detail(f"highest {span(self.step_us)}", f"{highest} /s"),),
        )

    def _requests(self) -> Tile:
        now = self._now
        return Tile(
            key="requests",
            label="Requests",
            value=count(now.requests),
            unit="",
            definition="Requests that arrived in the window, whatever became of them.",
            # A count is not compared: the newest minute of the window is not over yet.
            change=Change("", f"in {span(covered_us(self.overview))} of data"),
            trend=[f.requests for _, f in complete_steps(self.overview, self.step_us)],
            details=(
                Detail("successful", count(now.requests - now.failures)),
                Detail("failed", count(now.failures)),
            ),
        )

    def _latency(self) -> Tile:
        value, unit = duration_ms(self._now.p99_ms)
        limits = self.targets.latency_ms
        return Tile(
            key="latency",
            label="Latency p99",
            value=value,
            unit=unit,
            definition="99 of 100 successful requests were answered at least this fast, from "
            "arrival at the node to the ready response.",
            change=self._relative("p99_ms", LOWER),
            trend=self._trend("p99_ms"),
            details=tuple(self._quantile(name, limits) for name in ("p50", "p95", "p99")),
        )

    def _quantile(self, name: str, limits: LatencyTargets) -> Detail:
        value = self._value(f"{name}_ms")
        limit = getattr(limits, name)
        kept = None if value is None else value <= limit
        return Detail(name, " ".join(duration_ms(value)), Promise(limit, kept))

    def _utilization(self) -> Tile:
        return Tile(
            key="utilization",
            label="Utilisation",
            value=percent(self._now.utilization),
            unit="",
            definition="The share of the time of all ready workers that was spent executing "
            "requests.",
            change=self._points("utilization", HIGHER),
            trend=self._trend("utilization"),
            details=(
                Detail(f"highest {span(self.step_us)}", percent(self._highest("utilization"))),
            ),
        )

    def _idle_share(self) -> Tile:
        cost = self._now.cost
        idle = None if self._unpriced else float(to_usd(cost.idle))
        direct = None if self._unpriced else float(to_usd(cost.direct))
        return Tile(
            key="idle-share",
            label="Idle share",
            value=percent(self._value("idle_share")),
            unit="",
            definition="The share of the machine cost that no request used: paid for, but idle.",
            change=self._points("idle_share", LOWER),
            trend=self._trend("idle_share"),
            details=(
                Detail("idle", f"{usd(idle)} USD"),
                Detail("used by requests", f"{usd(direct)} USD"),
            ),
        )

    def _error_rate(self) -> Tile:
        now = self._now
        return Tile(
            key="error-rate",
            label="Error rate",
            value=percent(now.error_rate),
            unit="",
            definition="The share of requests that were answered with a status of 400 or above.",
            change=self._points("error_rate", LOWER),
            trend=self._trend("error_rate"),
            details=(Detail("failed", f"{count(now.failures)} of {count(now.requests)}"),),
        )
