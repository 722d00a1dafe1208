"""The Prices page in a browser: a search is typed and linked, and a phone has room for it."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fixtures_usage import fill

pytestmark = pytest.mark.browser

PHONE_PX = 390

Start = Callable[[Path], str]


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(
        viewport={"width": PHONE_PX, "height": 1200}, color_scheme="dark"
    )
    page = context.new_page()
    yield page
    context.close()


def test_a_search_on_a_phone_is_in_the_address_and_nothing_is_wider_than_the_screen(
    dashboard: Start, phone: Page, tmp_path: Path
) -> None:
    fill(tmp_path / "usage.duckdb", time.time_ns() // 1000, minutes=2, per_second=2.0)
    phone.goto(f"{dashboard(tmp_path / 'usage.duckdb')}/prices")
    expect(phone.get_by_text("943 prices")).to_be_visible()
    expect(phone.locator("table.facts").first).to_contain_text("aws c7i.xlarge in us-east-1")
    search = phone.get_by_placeholder(re.compile("^Search"))
    search.fill("h100 us-east")
    search.press("Enter")
    expect(phone.get_by_text(re.compile(r"^\d+ of 943 prices"))).to_be_visible()
    expect(phone).to_have_url(re.compile(r"search=h100[+ %].*us-east"))
    main_width = "document.querySelector('[data-testid=stMain]').scrollWidth"
    phone.wait_for_function(f"{main_width} === {PHONE_PX}")
    phone.go_back()
    expect(phone.get_by_text("943 prices", exact=True)).to_be_visible()
    expect(search).to_have_value("")
