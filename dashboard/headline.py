"""The nine figures that answer "what does it cost, how fast is it, how busy is the machine"."""

from dataclasses import dataclass

from costs import to_usd
from dashboard.steps import covered_us, drawable_steps
from reports import Figures, Overview, Targets
from reports.change import (
    NOTHING_BEFORE,
    Change,
    Polarity,
    points_change,
    relative_change,
)
from reports.formatting import count, duration_ms, percent, significant, span, usd
from reports.tile import Detail, Tile

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

    def rows(self) -> list[list[Tile]]:
        """Return the nine tiles in reading order: money, load and errors; latency and machine."""
        return [
            [self._spend(), self._unit_cost(), self._request_rate(), self._error_rate()],
            [
                self._latency("p50", "Half of the"),
                self._latency("p95", "95 of 100"),
                self._latency("p99", "99 of 100"),
                self._utilization(),
                self._idle_share(),
            ],
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
        # A step hardly begun is not drawn and yet a part of the window, which may therefore be
        # above every step that is: some step was at least as high as all of them together.
        known = [*self._trend(figure), self._value(figure)]
        return max((v for v in known if v is not None), default=None)

    def _spend(self) -> Tile:
        spend = None if self._unpriced else self.overview.spend_now_usd_per_hour
        previous = self.overview.previous
        before = None if previous is None else previous.spend_usd_per_hour
        now = self._now
        return Tile(
            key="spend",
            label="Spend now per hour",
            value=usd(spend),
            unit="USD/h",
            definition="What the machines that ran in the last one to two minutes cost per hour, "
            "idle time included; the change is against the average of the window before.",
            change=relative_change(spend, before, LOWER),
            trend=[] if self._unpriced else self._trend("spend_usd_per_hour"),
            details=(
                Detail("window average", f"{usd(self._value('spend_usd_per_hour'))} USD/h"),
                Detail("idle of that", f"{usd(now.idle_usd_per_hour)} USD/h"),
            ),
        )

    def _unit_cost(self) -> Tile:
        per_1000 = self._value("usd_per_1000")
        per_request = None if per_1000 is None else per_1000 * 1000
        total = None if self._unpriced else float(self._now.machine_usd)
        return Tile(
            key="unit-cost",
            label="Machine cost per 1,000",
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
        now = self._now
        return Tile(
            key="request-rate",
            label="Requests per second",
            value=significant(now.requests_per_s),
            unit="/s",
            definition="Requests that arrived, failed ones included, per second of the window "
            "that the data covers.",
            change=self._relative("requests_per_s", NEUTRAL),
            trend=self._trend("requests_per_s"),
            details=(
                Detail("requests", count(now.requests)),
                Detail("counted over", span(covered_us(self.overview))),
            ),
        )

    def _latency(self, quantile: str, share: str) -> Tile:
        figure = f"{quantile}_ms"
        now_ms = self._value(figure)
        value, unit = duration_ms(now_ms)
        limit_ms = getattr(self.targets.latency_ms, quantile)
        kept = None if now_ms is None else now_ms <= limit_ms
        return Tile(
            key=f"latency-{quantile}",
            label=f"Latency {quantile}",
            value=value,
            unit=unit,
            definition=f"{share} successful requests were answered at least this fast, from "
            "arrival at the node to the ready response.",
            change=self._relative(figure, LOWER),
            trend=self._trend(figure),
            details=(Detail("target", f"{limit_ms:g} ms", kept), self._highest_latency(figure)),
        )

    def _highest_latency(self, figure: str) -> Detail:
        return Detail(f"highest {span(self.step_us)}", " ".join(duration_ms(self._highest(figure))))

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
                Detail("used", f"{usd(direct)} USD"),
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
            details=(
                Detail("failed", count(now.failures)),
                Detail("successful", count(now.requests - now.failures)),
            ),
        )
