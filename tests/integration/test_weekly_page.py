"""The Weekly review page: the review as it is loaded, actions that are kept, words for trouble."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.weekly_html import MEASURED_WEEKS
from reports.weekly import Week, actions_beside, read_actions
from store import DAY_US, HOUR_US, Batch, commit
from tests.integration.dashboard_reader import Reader, address, html, messages, now_us, specs, text
from tests.weeks_of_facts import commit_hours

TILES = ("spend", "unit-cost", "idle-share", "latency-p99", "month-end")


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


def last_week() -> Week:
    return Week.of(now_us()).plus(-1)


def fill(reader: Reader, week: Week, *, weeks: int = 1, hours: int = 168, **fields: Any) -> None:
    end_us = week.period.from_us + hours * HOUR_US
    begin_us = week.plus(1 - weeks).period.from_us
    commit_hours(reader.database, begin_us, end_us, requests=1, **fields)


def test_without_facts_the_reader_is_told_what_to_run(reader: Reader) -> None:
    assert [h.value for h in reader.page("weekly").subheader] == ["No database yet"]
    commit(reader.database, Batch(), now_us=now_us())
    assert [h.value for h in reader.page("weekly").subheader] == ["No requests recorded yet"]


def test_a_page_without_facts_fills_once_there_are_some(reader: Reader) -> None:
    page = reader.page("weekly")
    fill(reader, last_week(), hours=3)
    reader.run(page)
    assert not page.subheader
    assert 'data-figure="spend"' in html(page)


def test_the_last_complete_week_is_shown_in_its_order(reader: Reader) -> None:
    week = last_week()
    fill(reader, week, weeks=2)
    page = reader.page("weekly")
    shown = html(page)
    places = [shown.index(f'data-check="{key}"') for key in ("freshness", "coverage")]
    places += [shown.index(f'data-figure="{key}"') for key in TILES]
    places += [shown.index(words) for words in ("From last week", "Top movers", "Actions")]
    assert places == sorted(places)
    assert f"Week {week.number} of {week.year} cost 29.99 USD, as much as the week before" in shown
    assert len(specs(page)) == 4
    assert not messages(page)
    assert len(page.get("download_button")) == 2


def test_a_first_week_and_a_running_one_say_what_they_are(reader: Reader) -> None:
    running = Week.of(now_us())
    begin_us = running.period.from_us - DAY_US
    commit_hours(reader.database, begin_us, now_us() // HOUR_US * HOUR_US + HOUR_US, requests=1)
    first = html(reader.page("weekly"))
    assert "There is no record of the week before to compare with." in first
    assert "with 144 of its 168 hours missing" in first
    shown = html(reader.page("weekly", f"week={running}"))
    assert "still running" in shown
    assert "to compare" in shown


def test_simulated_weeks_are_marked_hidden_and_shown_again(reader: Reader) -> None:
    week = last_week()
    fill(reader, week, hours=2, origin="simulated")
    page = reader.page("weekly")
    assert "all of it simulated" in html(page)
    page.button(key="simulated-switch").click()
    reader.run(page)
    assert address(page)["simulated"] == ["no"]
    assert [h.value for h in page.subheader] == ["No requests recorded yet"]
    assert "Simulated history is hidden" in html(page)
    page.button(key="simulated-switch").click()
    reader.run(page)
    assert 'data-figure="spend"' in html(page)


def test_simulated_weeks_among_the_twelve_months_are_marked_where_they_stand(
    reader: Reader,
) -> None:
    week = last_week()
    fill(reader, week.plus(-2), node_id="sim", origin="simulated")
    fill(reader, week, weeks=2)
    page = reader.page("weekly")
    assert "Measured and simulated together: 168 of 504 requests" in html(page)
    assert "hatched: simulated" in html(page)
    # Neither of the two weeks is, so nothing that is said of them alone is marked.
    assert MEASURED_WEEKS in styles(page)
    assert MEASURED_WEEKS not in styles(reader.page("weekly", f"week={week.plus(-1)}"))


def test_the_week_is_kept_in_the_address(reader: Reader) -> None:
    week = last_week()
    fill(reader, week, weeks=3)
    earlier = week.plus(-2)
    page = reader.page("weekly", f"week={earlier}")
    assert f"Week {earlier.number} of {earlier.year} cost" in html(page)
    assert page.selectbox(key="week").value == str(earlier)
    page.button(key="week-later").click()
    reader.run(page)
    assert address(page)["week"] == [str(week.plus(-1))]
    page.selectbox(key="week").set_value(str(week))
    reader.run(page)
    # The default leaves the address.
    assert "week" not in address(page)
    assert f"Week {week.number} of {week.year} cost" in html(page)


def test_a_link_to_no_week_is_told_and_one_to_an_empty_week_shows_it(reader: Reader) -> None:
    week = last_week()
    fill(reader, week, hours=3)
    page = reader.page("weekly", "week=2026-W99")
    [message] = messages(page)
    assert "week is 2026-W99; accepted: a week like 2026-W47" in message
    assert f"Shown: {week}." in message
    empty = reader.page("weekly", "week=2024-W10")
    assert "Nothing is recorded of week 10 of 2024." in html(empty)
    assert not messages(empty)


def test_an_action_is_added_changed_and_closed_on_the_page(reader: Reader) -> None:
    fill(reader, last_week(), hours=3)
    path = actions_beside(reader.database)
    page = reader.page("weekly")
    assert "No action is noted." in html(page)
    add(reader, page, title="Turn <b>it</b> on", owner="Ada", saving="1200.50")
    [action] = read_actions(path)
    assert (action.title, action.saving_usd_per_month) == ("Turn <b>it</b> on", Decimal("1200.50"))
    assert "Turn &lt;b&gt;it&lt;/b&gt; on" in html(page)
    assert "Expected to save 1,200.50 USD a month" in html(page)
    status = next(box for box in page.selectbox if box.label == "Status")
    status.set_value("done")
    next(button for button in page.button if button.label == "Save").click()
    reader.run(page)
    assert [one.status.value for one in read_actions(path)] == ["done"]
    assert "Expected to save 0 USD a month" in html(page)


def test_a_wrong_action_is_told_and_not_written(reader: Reader) -> None:
    fill(reader, last_week(), hours=3)
    page = reader.page("weekly")
    add(reader, page, title="Save", owner="Ada", saving="1,200")
    [message] = messages(page)
    assert "Not saved: saving is '1,200'; accepted: USD like 1200" in message
    assert not actions_beside(reader.database).exists()


def test_files_that_cannot_be_read_are_told_and_the_review_stands(reader: Reader) -> None:
    fill(reader, last_week(), hours=3)
    broken = "id,title\n1,half a file\n"
    actions_beside(reader.database).write_text(broken)
    (reader.database.parent / "budgets.csv").write_text("what,ever\n")
    page = reader.page("weekly")
    actions, budgets = messages(page)
    assert actions.startswith("Actions are left out: ")
    assert budgets.startswith("Budgets are left out: ")
    assert 'data-figure="spend"' in html(page)
    # What cannot be read is not written to either.
    assert not [button for button in page.button if button.label == "Add"]
    assert actions_beside(reader.database).read_text() == broken


def test_wrong_prices_are_words_and_no_traceback(reader: Reader) -> None:
    fill(reader, last_week(), hours=3)
    (reader.prices / "instances.csv").write_text("nonsense\n")
    page = reader.page("weekly")
    assert "instances.csv" in messages(page)[0]
    assert "Traceback" not in text(page)


def styles(page: AppTest) -> list[str]:
    """Return the style sheets on `page`."""
    return [element.proto.body for element in page.get("html")]


def add(reader: Reader, page: AppTest, *, title: str, owner: str, saving: str) -> None:
    """Fill in the form of a new action and send it."""
    fields = {field.label: field for field in page.text_input}
    fields["What is to be done"].set_value(title)
    fields["Owner"].set_value(owner)
    fields["Expected to save, USD a month"].set_value(saving)
    page.date_input[0].set_value(date(2030, 1, 31))
    next(button for button in page.button if button.label == "Add").click()
    reader.run(page)
