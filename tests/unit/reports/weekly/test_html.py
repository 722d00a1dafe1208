"""The review as HTML: everything in it, nothing from elsewhere, and text that stays text."""

import dataclasses
import re
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from costs import Machine
from reports.change import Verdict
from reports.weekly.action import Action
from reports.weekly.bridge import Bridge, Driver, Mover
from reports.weekly.headline import headline
from reports.weekly.html import to_html
from reports.weekly.review import (
    Coverage,
    Freshness,
    PartSum,
    Reconciliation,
    Stretch,
    WeeklyReview,
)
from reports.weekly.tiles import WeeklyTiles
from store import HOUR_US, Dropped
from tests.unit.reports.weekly.sample_review import (
    ACTIONS,
    BRIDGE,
    MACHINE,
    MONTH_END,
    MOVERS,
    REVIEW,
    WEEK,
    counted,
    empty_week,
    first_week,
    review,
    usd,
)

VOID = {"meta", "rect", "line", "circle", "polyline", "br"}
EVIL = "</title><script>alert('1')</script>\"{{ 7 * 7 }}&amp;<b"


class Document(HTMLParser):
    """The elements of a page in order, their text, and whether every one was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


KINDS = {
    "full": REVIEW,
    "first": first_week(),
    "empty": empty_week(),
    "unpriced": review(now=counted("0", priced=False), coverage=Coverage(unpriced=(MACHINE,))),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_page_asks_nobody_for_anything_and_runs_nothing(kind: WeeklyReview) -> None:
    text = to_html(kind)
    page = Document(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not names & {"src", "href", "srcset", "action", "data", "background", "xlink:href"}
    assert not [name for name in names if name.startswith("on")]
    for wanted in ("url(", "@import", "http:", "https:", "//"):
        assert wanted not in text.replace("<!DOCTYPE html>", ""), wanted
    assert len(page.ids) == len(set(page.ids))
    assert "None" not in page.text
    assert to_html(kind) == text


def test_the_page_is_in_the_same_order_every_week() -> None:
    for kind in KINDS.values():
        page = Document(to_html(kind))
        order = ["freshness", "coverage", "reconciliation", "spend", "unit-cost", "idle-share"]
        order += ["latency-p99", "month-end"]
        assert page.ids[: len(order)] == order
        words = [headline(kind), "Freshness", "From last week to this one"]
        words += ["Six weeks beside twelve months", "Top movers", "Actions"]
        places = [page.text.index(part) for part in words]
        assert places == sorted(places)


def test_every_part_of_the_review_is_on_the_page() -> None:
    page = Document(to_html(REVIEW))
    for words in (
        "Weekly review 2026-W47 \N{MIDDLE DOT} 16 Nov to 22 Nov 2026, UTC",
        "Spend 1,234.500000000000 USD: the sums of 7 days and 3 models equal it",
        "Spend, USD 1,234.50",
        "12.2% worse week before 1,100.00",
        "Cost per 1,000 requests, USD 12.47",
        "Idle share 75.0%",
        "Latency p99, ms 64.8",
        "target 80 ms met",
        "November forecast, USD 5,200.00",
        "likely 5,050.00 to 5,400.00",
        "budget 5,000.00 missed",
        "Week before1,100.00 More or fewer requests+98.13 Work per request\u221212.13 "
        "Price of machines+48.50 This week1,234.50",
        "digits@2400.00520.25+120.2531.0% more requests",
        "letters@10.0060.00+60.00new in this week",
        "expected to save 1,200.50 USD a month",
        "1Turn the cache onAda2026-11-20 overdue1,200.50open",
        "2Retire digits@1Bo2026-12-01300.00done",
    ):
        assert words in page.text, words
    labels = dict.fromkeys(value for name, value in page.attributes if name == "aria-label")
    assert any("Spend by week: W1 100.00; W2 200.00" in label for label in labels)
    assert any(label.endswith("month 12 64.8 ms") for label in labels)


def test_text_from_data_stays_text() -> None:
    hostile = review(
        coverage=Coverage(unpriced=(Machine(EVIL, EVIL, EVIL, EVIL),), dropped=(Dropped(EVIL, 1),)),
        bridge=Bridge(usd("1"), usd("2"), (Driver(EVIL, EVIL, usd("1")),)),
        movers=(Mover(EVIL, usd("1"), usd("0"), EVIL),),
        actions=(dataclasses.replace(ACTIONS[0], title=EVIL, owner=EVIL),),
        weeks=tuple(dataclasses.replace(week, label=EVIL, name=EVIL) for week in REVIEW.weeks),
        reconciliation=Reconciliation(1, (PartSum(EVIL, 1, 2),)),
    )
    page = Document(to_html(hostile))
    assert "script" not in page.tags
    assert page.tags.count("title") == 1
    assert page.text.count(EVIL) >= 8
    assert EVIL in page.text
    assert "49" not in page.text.replace(EVIL, "")


def test_what_would_be_shown_as_nothing_is_left_out() -> None:
    drivers = (*BRIDGE.drivers, Driver("network", "network bytes", usd("0.001")))
    movers = (*MOVERS, Mover("idle-model", usd("3"), usd("3.001"), "anything"))
    bridge = dataclasses.replace(BRIDGE, drivers=drivers, now=BRIDGE.now + usd("0.001"))
    text = Document(to_html(review(bridge=bridge, movers=movers))).text
    assert "etwork bytes" not in text
    assert "idle-model" not in text
    assert "Price of machines" in text


def test_a_first_week_and_an_empty_week_say_what_there_is_not() -> None:
    first = Document(to_html(first_week())).text
    assert first.count("nothing to compare with") == 5
    for words in (
        "There is no record of the week before to compare with.",
        "No action is noted.",
        "November forecast, USD \N{EN DASH}",
    ):
        assert words in first
    assert first.count("There is no record of the week before to compare with.") == 2
    assert "The machine cost of no model changed." in to_html(review(movers=()))
    empty = Document(to_html(empty_week())).text
    assert "Spend, USD \N{EN DASH}" in empty
    assert "Nothing is stored of the week." in empty
    assert "There is no cost to add up." in empty


def test_a_sum_that_is_off_is_shown_with_how_much() -> None:
    wrong = Reconciliation(
        usd("10"), (PartSum("days", 7, usd("10")), PartSum("models", 2, usd("9.5")))
    )
    found = Document(to_html(review(reconciliation=wrong))).text
    assert (
        "Spend 10.000000000000 USD does not equal the sum of its parts: models add up to "
        "9.500000000000 USD, \u22120.500000000000 USD off."
    ) in found
    assert '<tr id="reconciliation"><th scope="row" class="missed">' in to_html(
        review(reconciliation=wrong)
    )


def test_what_is_left_out_is_told_in_the_singular_and_the_plural() -> None:
    for number, words in (
        (1, ("1 record.", "Dropped by node-1: 1 fact.", "1 line.", "1 executed request.")),
        (2, ("2 records.", "Dropped by node-1: 2 facts.", "2 lines.", "2 executed requests.")),
    ):
        left = Coverage(
            missing_records=number,
            dropped=(Dropped("node-1", number),),
            rejected_lines=number,
            unmeasured_requests=number,
        )
        found = Document(to_html(review(coverage=left))).text
        assert all(part in found for part in words)
    many = Coverage(dropped=tuple(Dropped(f"node-{n}", 1) for n in range(6)))
    found = Document(to_html(review(coverage=many))).text
    assert "Dropped by node-0, node-1, node-2 and 3 more: 6 facts." in found


def test_tiles_judge_changes_and_promises() -> None:
    tiles = {tile.key: tile for tile in WeeklyTiles(REVIEW).row()}
    assert list(tiles) == ["spend", "unit-cost", "idle-share", "latency-p99", "month-end"]
    assert tiles["spend"].change.verdict is Verdict.WORSE
    assert tiles["month-end"].details[-1].kept is False
    assert tiles["latency-p99"].details[-1].kept is True
    kept = dataclasses.replace(MONTH_END, budget_usd=Decimal(6000))
    [*_, tile] = WeeklyTiles(review(month_end=kept)).row()
    assert tile.details[-1].kept is True
    young = dataclasses.replace(
        MONTH_END, forecast_usd=None, low_usd=None, days_known=12, days_needed=28
    )
    [*_, tile] = WeeklyTiles(review(month_end=young)).row()
    assert (tile.value, tile.details[0].text) == ("\N{EN DASH}", "12 of 28 days")
    assert (tile.details[-1].text, tile.details[-1].kept) == ("5,000.00", None)
    over = dataclasses.replace(MONTH_END, low_usd=None, over=True)
    [*_, tile] = WeeklyTiles(review(month_end=over)).row()
    assert (tile.label, tile.details[0].text) == ("November", "over")
    [*_, tile] = WeeklyTiles(review(month_end=dataclasses.replace(kept, budget_usd=None))).row()
    assert (tile.details[-1].text, tile.details[-1].kept) == ("none set", None)
    assert len(tiles["spend"].trend) == 14
    assert len(tiles["month-end"].trend) == 22


def test_a_running_week_is_marked_and_its_days_are_faint() -> None:
    running = review(
        ended=False,
        period=dataclasses.replace(WEEK.period, to_us=WEEK.period.from_us + 93_600_000_000),
        weeks=(*REVIEW.weeks[:5], dataclasses.replace(REVIEW.weeks[5], whole=False)),
    )
    text = to_html(running)
    assert "still running: its first 1 day 2 hours" in text
    assert "Same part of the week before" in text
    assert "counted up to 17 Nov 2026, 02:00" in text
    assert text.count('fill-opacity="0.45"') == 3
    assert "W6 600.00 (not whole)" in text


def test_what_is_simulated_is_marked() -> None:
    weeks = (
        *REVIEW.weeks[:5],
        dataclasses.replace(REVIEW.weeks[5], counted=counted("600", simulated=True)),
    )
    now = counted("1234.5", simulated=True, simulated_requests=7, measured=False)
    text = to_html(review(now=now, weeks=weeks))
    assert '<span class="simulated">simulated</span>' in text
    assert "Simulated: 7 requests." in text
    assert text.count('stroke-dasharray="2 1.5"') == 3
    assert "W6 600.00 (simulated)" in text
    assert "outlined where it is simulated" in text
    part = to_html(review(now=counted("1234.5", simulated=True)))
    assert '<span class="simulated">+ simulated</span>' in part
    assert 'class="simulated"' not in to_html(REVIEW)
    assert "outlined" not in to_html(REVIEW)


def test_weeks_around_new_year_name_both_years() -> None:
    week = dataclasses.replace(WEEK, year=2026, number=53)
    assert "28 Dec 2026 to 03 Jan 2027, UTC" in to_html(review(week=week, period=week.period))


def test_extreme_amounts_fit_into_words() -> None:
    huge, tiny = counted("123456789012.5"), counted("0.000000123", requests=10)
    for week, amount in ((huge, "123,456,789,012.50"), (tiny, "0.000000123")):
        assert week.spend is not None
        bridge = Bridge(0, week.spend, (Driver("new", "new models", week.spend),))
        found = Document(to_html(review(now=week, bridge=bridge))).text
        assert f"Spend, USD {amount}" in found
        assert "e-" not in found


def test_a_trend_without_any_value_is_an_empty_picture() -> None:
    nothing = tuple(Stretch("1", "W1", week.period, None) for week in REVIEW.weeks)
    text = to_html(review(weeks=nothing, freshness=Freshness(0, 1, 0)))
    assert "Spend by week: W1 \N{EN DASH}; W1" in text


def test_an_action_due_on_the_last_day_counted_is_overdue() -> None:
    def due(day: date) -> Action:
        return dataclasses.replace(ACTIONS[0], due=day)

    assert "overdue" in to_html(review(actions=(due(date(2026, 11, 22)),)))
    assert "overdue" not in to_html(review(actions=(due(date(2026, 11, 23)),)))
    # Tuesday is not over at two in the morning.
    running = {
        "ended": False,
        "period": dataclasses.replace(WEEK.period, to_us=WEEK.period.from_us + 26 * HOUR_US),
    }
    assert "overdue" not in to_html(review(actions=(due(date(2026, 11, 17)),), **running))
    assert "overdue" in to_html(review(actions=(due(date(2026, 11, 16)),), **running))
