"""A slice in a browser: a link opens it, the navigation keeps it, the back button undoes it."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from store import Batch
from tests.fixtures_usage import fill

pytestmark = pytest.mark.browser

LINK = "?window=1+hour&tenant=search&tenant=shop&label=team%3Dcheckout"
ASKED = {"window": ["1 hour"], "tenant": ["search", "shop"], "label": ["team=checkout"]}

Start = Callable[[Path], str]


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    return fill(tmp_path / "usage.duckdb", time.time_ns() // 1000, minutes=2, per_second=4.0)


def query(url: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(url).query)


def slice_size(batch: Batch, *tenants: str) -> str:
    return f"{sum(record.tenant in tenants for record in batch.records):,}"


def test_a_link_opens_its_slice_and_the_navigation_takes_it_along(
    dashboard: Start, window: Page, batch: Batch, tmp_path: Path
) -> None:
    address = dashboard(tmp_path / "usage.duckdb")
    window.goto(f"{address}/{LINK}")
    requests = window.locator('[data-figure="request-rate"] dd').first
    expect(requests).to_have_text(slice_size(batch, "search", "shop"))
    expect(window.get_by_role("button", name="Tenant: search or shop")).to_be_visible()
    expect(window.get_by_role("radio", name="1 hour")).to_be_checked()

    for name, path in (
        ("Latency", "latency"),
        ("Utilisation", "utilization"),
        ("Requests", "requests"),
    ):
        window.get_by_role("link", name=name).click()
        expect(window.get_by_role("heading", level=1)).to_have_text(name)
        expect(window).to_have_url(re.compile(rf"/{path}\?"))
        expect(window.get_by_role("button", name="team: checkout")).to_be_visible()
        expect(window.get_by_role("radio", name="1 hour")).to_be_checked()
        window.wait_for_url(lambda url: query(url) == ASKED)

    window.reload()
    expect(window.get_by_role("heading", level=1)).to_have_text("Requests")
    expect(window.get_by_role("button", name="Tenant: search or shop")).to_be_visible()
    expect(window.get_by_test_id("stDataFrame")).to_be_visible()
    window.wait_for_url(lambda url: query(url) == ASKED)
    # What a link of the navigation says is an address of its own: it can be opened in a new tab.
    href = window.get_by_role("link", name="Overview").get_attribute("href")
    assert query(href or "") == ASKED


def test_a_choice_is_one_step_of_the_history_and_back_undoes_it(
    dashboard: Start, window: Page, batch: Batch, tmp_path: Path
) -> None:
    address = dashboard(tmp_path / "usage.duckdb")
    window.goto(address)
    requests = window.locator('[data-figure="request-rate"] dd').first
    everything = slice_size(batch, "shop", "search", "internal")
    expect(requests).to_have_text(everything)

    window.get_by_role("button", name="Filters").click()
    window.get_by_label("Tenant", exact=True).click()
    window.get_by_role("option", name="search").click()
    expect(requests).to_have_text(slice_size(batch, "search"))
    expect(window).to_have_url(re.compile(r"\?tenant=search$"))
    # The open list hides the rest of the page from screen readers, and so from roles.
    window.locator("h1").click()

    window.get_by_role("radio", name="6 hours").click()
    expect(window).to_have_url(re.compile(r"window=6\+hours"))
    chip_of_tenant = window.get_by_role("button", name="Tenant: search")
    chip_of_tenant.click()
    expect(requests).to_have_text(everything)
    window.wait_for_url(lambda url: query(url) == {"window": ["6 hours"]})

    window.go_back()
    expect(chip_of_tenant).to_be_visible()
    expect(requests).to_have_text(slice_size(batch, "search"))
    window.wait_for_url(lambda url: query(url) == {"tenant": ["search"], "window": ["6 hours"]})
    window.go_back()
    expect(window.get_by_role("radio", name="15 minutes")).to_be_checked()
    window.go_back()
    expect(requests).to_have_text(everything)
    expect(chip_of_tenant).to_have_count(0)
    window.go_forward()
    expect(requests).to_have_text(slice_size(batch, "search"))


def test_a_broken_link_is_told_and_the_page_stands(
    dashboard: Start, window: Page, batch: Batch, tmp_path: Path
) -> None:
    address = dashboard(tmp_path / "usage.duckdb")
    window.goto(f"{address}/?window=%3Cb%3Esoon&model=~oops&tenant=shop")
    told = window.get_by_test_id("stAlert")
    expect(told).to_have_count(2)
    expect(told.filter(has_text="<b>soon")).to_be_visible()
    expect(told.filter(has_text="model is ~oops")).to_be_visible()
    requests = window.locator('[data-figure="request-rate"] dd').first
    expect(requests).to_have_text(slice_size(batch, "shop"))
