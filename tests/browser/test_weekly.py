"""The weekly review in a browser: its file asks nobody for anything; its page takes an action."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect

from reports.weekly import Bridge, Driver, Week, actions_beside, read_actions, to_html
from store import HOUR_US
from tests.integration.dashboard_reader import now_us
from tests.unit.reports.weekly.sample_review import review, usd
from tests.weeks_of_facts import commit_hours

pytestmark = pytest.mark.browser

ColorScheme = Literal["light", "dark"]
BACKGROUNDS: dict[ColorScheme, str] = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 28)"}


@pytest.mark.parametrize("scheme", BACKGROUNDS)
@pytest.mark.parametrize("width", [390, 1280])
def test_the_file_is_all_there_is_to_it(
    chromium: Browser, tmp_path: Path, scheme: ColorScheme, width: int
) -> None:
    file = tmp_path / "week.html"
    millions = Driver("new", "new models", usd("9999999.99"))
    bridge = Bridge(usd("123456789.01"), usd("133456789"), (millions,))
    file.write_text(to_html(review(bridge=bridge)), encoding="utf-8")
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=False
    )
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(file.as_uri())
    expect(page.get_by_role("heading", level=1)).to_contain_text("Week 47 of 2026 cost 1,234.50")
    expect(page.locator("#spend .value")).to_be_visible()
    assert asked == [file.as_uri()]
    assert complaints == []
    body = page.locator("body")
    expect(body).to_have_css("background-color", BACKGROUNDS[scheme])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_a_link_opens_its_week_and_an_action_is_kept(
    dashboard: Callable[[Path], str], chromium: Browser, tmp_path: Path
) -> None:
    database = tmp_path / "usage.duckdb"
    week = Week.of(now_us()).plus(-2)
    commit_hours(database, week.period.from_us, week.plus(1).period.from_us + 5 * HOUR_US)
    context = chromium.new_context(viewport={"width": 1280, "height": 1600})
    page = context.new_page()
    page.goto(f"{dashboard(database)}/weekly?week={week}")
    headline = page.locator(".week-headline")
    expect(headline).to_contain_text(f"Week {week.number} of {week.year}")

    with page.expect_download() as download:
        page.get_by_role("button", name="HTML").click()
    assert download.value.suggested_filename == f"weekly-review-{week}.html"
    assert "Weekly review" in Path(download.value.path()).read_text(encoding="utf-8")

    page.get_by_role("button", name="Add an action").click()
    page.get_by_label("What is to be done").fill("Turn the cache on")
    page.get_by_label("Owner").fill("Ada")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("cell", name="Turn the cache on")).to_be_visible()
    assert [action.owner for action in read_actions(actions_beside(database))] == ["Ada"]

    page.get_by_role("button", name="Later").click()
    expect(headline).to_contain_text(f"Week {week.plus(1).number} of")
    # The newest week is where the page opens, so the address says nothing of it.
    expect(page).to_have_url(re.compile(r"/weekly$"))
    context.close()
