"""The Costs page in a browser: a click on a row looks into it, the back button looks out again."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Position, expect

from tests.fixtures_usage import fill

pytestmark = pytest.mark.browser

# The box before the first row, and its first cell.
BOX: Position = {"x": 18, "y": 53}
CELL: Position = {"x": 70, "y": 53}

Start = Callable[[Path], str]


@pytest.fixture
def window(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1900})
    page = context.new_page()
    yield page
    context.close()


def click_first_row(window: Page, position: Position) -> None:
    """Click the table of groups, once the page is drawn and nothing above it moves any more."""
    for key in ("cost-components", "cost-spread", "cost-flow"):
        # While one picture takes the place of another, there may be two.
        drawn = window.locator(f".st-key-{key} .js-plotly-plot")
        expect(drawn).to_have_count(1)
        expect(drawn).to_be_visible()
    expect(window.locator('[data-test-script-state="notRunning"]')).to_be_visible()
    table = window.locator(".st-key-costs-by").get_by_test_id("stDataFrame")
    expect(table).to_have_count(1)
    table.click(position=position)


def test_a_click_on_a_row_looks_into_it_and_back_looks_out(
    dashboard: Start, window: Page, tmp_path: Path
) -> None:
    fill(tmp_path / "usage.duckdb", time.time_ns() // 1000, minutes=2, per_second=4.0)
    address = dashboard(tmp_path / "usage.duckdb")
    window.goto(f"{address}/costs?by=tenant")
    click_first_row(window, CELL)
    # The dearest tenant, now by model.
    expect(window).to_have_url(re.compile(r"tenant=shop"))
    expect(window).to_have_url(re.compile(r"by=model"))
    expect(window.get_by_role("button", name="Tenant: shop")).to_be_visible()
    expect(window.get_by_role("heading", name="Cost of the requests")).to_be_visible()
    window.go_back()
    expect(window.get_by_role("heading", name="Cost of the requests")).to_have_count(0)
    expect(window.get_by_role("heading", name="Cost", exact=True)).to_be_visible()
    expect(window).to_have_url(re.compile(r"costs\?by=tenant$"))
    # The row is not still chosen: the same click does the same again.
    click_first_row(window, BOX)
    expect(window).to_have_url(re.compile(r"tenant=shop"))
