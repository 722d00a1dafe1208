"""Simulated history in a browser: marked on every page, one click hides it, one shows it."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from store import Batch, commit
from tests.fixtures_usage import fill, node_sample, usage_record

pytestmark = pytest.mark.browser

MADE_UP = {"node_id": "sim-1", "boot_id": "0198c0de-0000-7000-8000-000000000002"}
SIMULATED = 40
ADDED_TEXT = """([selector, text]) => {
    const element = document.querySelector(selector)
    return element !== null && getComputedStyle(element, '::after').content === text
}"""

Start = Callable[[Path], str]


@pytest.fixture
def measured(tmp_path: Path) -> int:
    """Fill the database with measured and simulated minutes; return the measured requests."""
    now_us = time.time_ns() // 1000
    database = tmp_path / "usage.duckdb"
    batch = fill(database, now_us, minutes=2, per_second=4.0)
    ended_us = now_us - 3 * 60_000_000
    records = [
        usage_record(
            record_id=f"0198c0de-0000-7000-8000-{number:012x}",
            seq=number,
            arrived_at_us=ended_us - number * 1_000_000,
            origin="simulated",
            **MADE_UP,
        )
        for number in range(1, SIMULATED + 1)
    ]
    sample = node_sample(sampled_at_us=ended_us, interval_us=60_000_000, **MADE_UP)
    commit(database, Batch(records, [sample]), now_us=now_us)
    return len(batch.records)


def expect_chip(page: Page, selector: str, text: str) -> None:
    """Wait until the first such element wears this text, which a style sheet adds."""
    page.wait_for_function(ADDED_TEXT, arg=[selector, text])


def test_one_click_hides_what_is_simulated_and_one_shows_it_again(
    dashboard: Start, window: Page, measured: int, tmp_path: Path
) -> None:
    window.goto(dashboard(tmp_path / "usage.duckdb"))
    requests = window.locator('[data-figure="request-rate"] dd').first
    mark = window.locator(".st-key-simulated-mark")
    everything = f"{measured + SIMULATED:,}"
    expect(requests).to_have_text(everything)
    expect(mark).to_contain_text(f"{SIMULATED} of {everything} requests and 1 of 2 machines")
    expect_chip(window, ".tile h3", '"+ simulated"')
    expect_chip(window, "h2.section small", '"+ simulated"')

    window.get_by_role("button", name="Hide simulated history").click()
    expect(requests).to_have_text(f"{measured:,}")
    expect(window).to_have_url(re.compile(r"\?simulated=no$"))
    expect(mark).to_contain_text(f"is hidden: {SIMULATED} requests and 1 machine are left out")
    expect_chip(window, ".tile h3", "none")
    expect(window.get_by_role("button", name="Clear")).to_have_count(0)

    window.get_by_role("button", name="Show simulated history").click()
    expect(requests).to_have_text(everything)
    expect(mark).to_contain_text("Measured and simulated together")
    window.wait_for_url(lambda url: "?" not in url)

    window.go_back()
    expect(requests).to_have_text(f"{measured:,}")


def test_every_page_is_marked_and_keeps_the_choice(
    dashboard: Start, window: Page, measured: int, tmp_path: Path
) -> None:
    window.goto(f"{dashboard(tmp_path / 'usage.duckdb')}/?tenant=shop")
    mark = window.locator(".st-key-simulated-mark")
    for name in ("Costs", "Latency", "Utilisation", "Requests"):
        window.get_by_role("link", name=name).click()
        expect(window.get_by_role("heading", level=1)).to_have_text(name)
        expect(mark).to_contain_text("Measured and simulated together")
        expect(window.locator("h2.section").first).to_be_visible()
        expect_chip(window, "h2.section small", '"+ simulated"')

    window.get_by_role("button", name="Hide simulated history").click()
    expect(mark).to_contain_text("is hidden")
    window.get_by_role("link", name="Latency").click()
    expect(window.get_by_role("heading", level=1)).to_have_text("Latency")
    expect(mark).to_contain_text("is hidden")
    # The rest of the filter is cleared by itself.
    window.get_by_role("button", name="Clear").click()
    expect(window).to_have_url(re.compile(r"/latency\?simulated=no$"))


def test_where_nothing_is_simulated_there_is_no_mark(
    dashboard: Start, window: Page, tmp_path: Path
) -> None:
    fill(tmp_path / "usage.duckdb", time.time_ns() // 1000, minutes=1, per_second=3.0)
    window.goto(dashboard(tmp_path / "usage.duckdb"))
    expect(window.locator(".tile")).to_have_count(9)
    expect(window.locator(".st-key-simulated-mark")).to_have_count(0)
    expect_chip(window, ".tile h3", "none")
