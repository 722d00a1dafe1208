"""A review laid out: every word, number and picture in its place, for templates to draw."""

from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal

from reports.formatting import instant, usd
from reports.tile import Tile
from reports.trend_line import Point
from reports.weekly.action import Action
from reports.weekly.amount import shows, spell_steps, ticks_usd
from reports.weekly.bridge import Bridge, Mover, bridge_amounts, shown_drivers
from reports.weekly.drawing import Bar, bridge_bars, spark_points
from reports.weekly.headline import headline, length_words, no_comparison
from reports.weekly.quality import WeeklyCheck, checks
from reports.weekly.review import WeeklyReview
from reports.weekly.tiles import WeeklyTiles
from reports.weekly.trends import Trend, trends


@dataclass(frozen=True)
class SheetTile:
    """A tile and the corners of its sparkline."""

    tile: Tile
    points: list[Point]


@dataclass(frozen=True)
class BridgeRow:
    """A line of the bridge; `end` for its first and its last."""

    name: str
    amount: str
    bar: Bar
    end: bool = False


@dataclass(frozen=True)
class MoverRow:
    """A line of the table of movers."""

    name: str
    before: str
    now: str
    change: str
    cause: str


@dataclass(frozen=True)
class ActionRow:
    """A line of the table of actions."""

    action: Action
    saving: str
    overdue: bool


@dataclass(frozen=True)
class Sheet:
    """The review in its order: headline, checks, tiles, bridge, trends, movers, actions.

    Where there is no bridge or no mover, `no_bridge` and `no_movers` say why. `mark` says whether
    the week is simulated, "" where all of it was measured; `trends_note` says how to read the
    trends. `day` is the first one that is not counted to its end. `savings` is what the actions
    that are not closed are expected to save in a month.
    """

    title: str
    period: str
    mark: str
    headline: str
    checks: list[WeeklyCheck]
    tiles: list[SheetTile]
    bridge: list[BridgeRow]
    no_bridge: str
    trends: list[Trend]
    trends_note: str
    movers: list[MoverRow]
    no_movers: str
    actions: list[ActionRow]
    savings: str
    day: date


def sheet_of(review: WeeklyReview) -> Sheet:
    """Return `review` laid out."""
    reason = no_comparison(review)
    no_bridge = "" if reason is None else f"There is {reason}."
    day = instant(review.as_of_us, UTC).date()
    unclosed = [action for action in review.actions if not action.status.closed]
    return Sheet(
        title=f"Weekly review {review.week}",
        period=period_words(review),
        mark=simulated_mark(review),
        headline=headline(review),
        checks=checks(review),
        tiles=[SheetTile(tile, spark_points(tile.trend)) for tile in WeeklyTiles(review).row()],
        bridge=[] if review.bridge is None else bridge_rows(review.bridge, ended=review.ended),
        no_bridge=no_bridge,
        trends=trends(review),
        trends_note=_trends_note(review),
        movers=[row for row in map(_mover, review.movers) if shows(row.change)],
        no_movers=no_bridge or "The machine cost of no model changed.",
        actions=[
            ActionRow(action, usd(action.saving_usd_per_month), action.overdue(day))
            for action in review.actions
        ],
        savings=usd(sum((a.saving_usd_per_month for a in unclosed), Decimal(0))),
        day=day,
    )


def period_words(review: WeeklyReview) -> str:
    """Return which days are counted, and how much of a week that runs."""
    week = review.week
    first = (
        f"{week.monday:%d %b}"
        if week.monday.year == week.sunday.year
        else f"{week.monday:%d %b %Y}"
    )
    words = f"{first} to {week.sunday:%d %b %Y}, UTC"
    if review.ended:
        return words
    if review.now is None:
        return f"{words} \N{MIDDLE DOT} not over yet"
    return (
        f"{words} \N{MIDDLE DOT} still running: its first {length_words(review.period.length_us)}"
    )


def bridge_rows(bridge: Bridge, *, ended: bool) -> list[BridgeRow]:
    """Return the lines of a bridge; drivers that would be shown as 0.00 are left out.

    Amounts add up as they are shown.
    """
    names = ["Week before" if ended else "Same part of the week before", "This week"]
    before, changes, now = bridge_amounts(bridge)
    drivers = shown_drivers(bridge)
    bars = bridge_bars(
        ticks_usd(bridge.before), [ticks_usd(d.change) for d in drivers], ticks_usd(bridge.now)
    )
    middle = [
        BridgeRow(driver.name.capitalize(), changes[driver], bar)
        for driver, bar in zip(drivers, bars[1:-1], strict=True)
    ]
    return [
        BridgeRow(names[0], before, bars[0], end=True),
        *middle,
        BridgeRow(names[1], now, bars[-1], end=True),
    ]


def simulated_mark(review: WeeklyReview) -> str:
    """Return "simulated" or "+ simulated" where the week is so, wholly or in part; else ""."""
    if review.now is None or not review.now.simulated:
        return ""
    return "+ simulated" if review.now.measured else "simulated"


def _trends_note(review: WeeklyReview) -> str:
    note = "up to the end of what is counted; faint where a time is not whole"
    if any(one.simulated for one in (*review.weeks, *review.months)):
        note += "; outlined where it is simulated, in part or all of it"
    return note


def _mover(mover: Mover) -> MoverRow:
    before, [change], now = spell_steps(mover.before, [mover.change])
    return MoverRow(mover.name, before, now, change, mover.cause)
