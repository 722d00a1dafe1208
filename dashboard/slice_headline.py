"""The nine figures where a filter accepts only some of the requests that machines ran for.

Idle time belongs to no tenant and no model without an allocation, so a slice is told by its direct
cost; what the machines cost and how busy they were is told of all that they did, and said so.
"""

from dataclasses import replace

from dashboard.headline import LOWER, Headline
from reports.change import NOTHING_BEFORE, Change, relative_change
from reports.formatting import percent, usd
from reports.tile import Detail, Tile

OF_THE_MACHINES = "It is that of the machines, with all requests they ran for, filtered or not."


class SliceHeadline(Headline):
    """An overview of a slice of the requests read as tiles."""

    def _spend(self) -> Tile:
        direct = self._own("own_usd_per_hour")
        return Tile(
            key="own-spend",
            label="Direct cost per hour",
            value=usd(direct),
            unit="USD/h",
            definition="What these requests used of the machines per hour of the window, idle time "
            "not included.",
            change=self._own_change("own_usd_per_hour"),
            trend=[] if self._unpriced else self._trend("own_usd_per_hour"),
            details=(
                Detail("machines, all requests", f"{usd(self._value('spend_usd_per_hour'))} USD/h"),
                Detail("share of that", percent(self._own("own_share"))),
            ),
        )

    def _unit_cost(self) -> Tile:
        total = None if self._unpriced else self._now.own_usd
        return Tile(
            key="own-unit-cost",
            label="Direct cost per 1,000 requests",
            value=usd(self._own("direct_usd_per_1000")),
            unit="USD",
            definition="The direct cost of these requests divided by the successful ones, times "
            "1,000, idle time not included.",
            change=self._own_change("direct_usd_per_1000"),
            trend=[] if self._unpriced else self._trend("direct_usd_per_1000"),
            details=(
                Detail("with idle cost", "\N{EN DASH} needs an allocation"),
                Detail("whole window", f"{usd(None if total is None else float(total))} USD"),
            ),
        )

    def _utilization(self) -> Tile:
        tile = super()._utilization()
        return replace(
            tile,
            label="Utilisation, all requests",
            definition=f"{tile.definition} {OF_THE_MACHINES}",
        )

    def _idle_share(self) -> Tile:
        tile = super()._idle_share()
        return replace(
            tile,
            label="Idle share of the machines",
            definition=f"{tile.definition} {OF_THE_MACHINES}",
        )

    def _own(self, figure: str) -> float | None:
        if self._unpriced:
            return None
        value: float | None = getattr(self._now, figure)
        return value

    def _own_change(self, figure: str) -> Change:
        if self.overview.previous is None:
            return NOTHING_BEFORE
        return relative_change(self._own(figure), getattr(self.overview.previous, figure), LOWER)
