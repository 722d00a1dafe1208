"""Series of days that end together: what a day came to, and what was usual for it."""

from collections.abc import Collection, Sequence

from costs.deviation import RESIDUALS_KEPT, Watch
from costs.weekly_level import WEEK

# What is usual is learnt from so many days.
LOOK_BACK_DAYS = RESIDUALS_KEPT + WEEK

Series = Sequence[float | None]
"""A value for each day, None where it is not known."""


class DailySeries:
    """Looks `places` up in series that end with the same day, and what was usual then.

    Going through a series costs more than all the rest, so it is done once for all places.
    """

    def __init__(self, days: int, places: Collection[int]) -> None:
        self._days = days
        self._places = places
        # The series is kept as well: its id is its own as long as it is there.
        self._usual: dict[int, tuple[Series, dict[int, float | None]]] = {}

    def on(self, series: Series | None, at: int) -> float | None:
        """Return the value of the day `at`; None where the series has none."""
        if series is None or at < self._days - len(series):
            return None
        return series[at - self._days]

    def usual(self, series: Series | None, at: int) -> float | None:
        """Return what the days before it led one to expect of the day `at`; None without any."""
        if series is None:
            return None
        if id(series) not in self._usual:
            self._usual[id(series)] = series, self._go_through(series)
        return self._usual[id(series)][1].get(at)

    def change(self, series: Series | None, at: int) -> float | None:
        """Return the change against what is usual, as a share of that."""
        return share_of_change(self.on(series, at), self.usual(series, at))

    def _go_through(self, series: Series) -> dict[int, float | None]:
        watch, usual = Watch(0, part=True), {}
        for at, value in enumerate(series, self._days - len(series)):
            if at in self._places:
                usual[at] = watch.day()
            watch.see(value)
        return usual


def share_of_change(now: float | None, usual: float | None) -> float | None:
    """Return the change as a share of what is usual; None where that is nothing or not known."""
    return None if now is None or not usual else now / usual - 1
