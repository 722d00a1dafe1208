"""Budgets in a browser: added with a few clicks, legible on a phone, and asking nobody else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from reports.budgets.book import budgets_beside, read_budgets
from store import commit
from tests.budget_history import END_US, steady_days

pytestmark = pytest.mark.browser

PHONE_PX = 390
STATE = "table.budgets td .promise"

Start = Callable[[Path], str]


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[[int, str], Page]]:
    """Return a function that opens a window of a width in a colour scheme."""
    contexts = []

    def open_in(width: int, scheme: str) -> Page:
        context = chromium.new_context(
            color_scheme="dark" if scheme == "dark" else "light",
            timezone_id="America/Los_Angeles",
            viewport={"width": width, "height": 900},
        )
        contexts.append(context)
        return context.new_page()

    yield open_in
    for context in contexts:
        context.close()


def test_a_budget_is_added_with_a_few_clicks_and_read_on_a_phone(
    dashboard: Start, open_page: Callable[[int, str], Page], tmp_path: Path
) -> None:
    database = tmp_path / "usage.duckdb"
    commit(database, steady_days(60, spike_ago=5), now_us=END_US)
    address = f"{dashboard(database)}/budgets"
    hosts: set[str | None] = set()
    broken: list[str] = []

    def visit(width: int, scheme: str) -> Page:
        page = open_page(width, scheme)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(address)
        # Days are UTC days, wherever the reader sits.
        expect(page.locator(".status").first).to_contain_text("24 Sep 2025, 12:00 UTC")
        expect(page.locator('[data-figure="anomalies"] .value')).to_have_text("1")
        for chart in ("month-outlook", "usual-range"):
            expect(page.locator(f".st-key-{chart} .js-plotly-plot")).to_be_visible()
        return page

    page = visit(1280, "light")
    page.get_by_text("Add, change or remove a budget").click()
    page.get_by_label("USD a month").fill("5")
    page.get_by_label("USD a month").press("Enter")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(STATE)).to_have_text("exceeded")
    assert [str(budget.usd_per_month) for budget in read_budgets(budgets_beside(database))] == ["5"]

    phone = visit(PHONE_PX, "dark")
    expect(phone.locator(STATE)).to_have_text("exceeded")
    # In sight without pushing the table aside, and the page is no wider than the phone.
    box = phone.locator(STATE).bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= PHONE_PX
    phone.wait_for_function(f"document.documentElement.scrollWidth <= {PHONE_PX}")
    assert hosts == {"127.0.0.1"}
    assert broken == []
