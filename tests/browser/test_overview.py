"""The dashboard in a browser: right figures, nothing from anywhere else, alive without a reload."""

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from store import Batch, commit
from tests.fixtures_usage import fill, node_sample, usage_record

pytestmark = pytest.mark.browser

BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 28)"}

Start = Callable[[Path], str]


class Visit:
    """A page of the dashboard, and everything it asked for or complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.hosts: set[str | None] = set()
        self.complaints: list[str] = []
        page.on("request", lambda request: self._note_host(request.url))
        page.on("websocket", lambda socket: self._note_host(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note_message)

    def figure(self, name: str) -> Locator:
        """Return the figure of a tile, without its unit."""
        return self.page.locator(f'[data-figure="{name}"] .value')

    @property
    def requests(self) -> Locator:
        """Return the number of requests in the window."""
        return self.page.locator('[data-figure="request-rate"] dd').first

    def _note_host(self, url: str) -> None:
        if urlsplit(url).scheme not in ("data", "blob"):
            self.hosts.add(urlsplit(url).hostname)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(message.text)


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def open_visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """Return a function that opens a window in a colour scheme; all are closed at the end."""
    contexts = []

    def open_in(scheme: str = "light") -> Visit:
        context = chromium.new_context(
            color_scheme="dark" if scheme == "dark" else "light",
            timezone_id="Europe/Berlin",
            viewport={"width": 1440, "height": 900},
        )
        contexts.append(context)
        return Visit(context.new_page())

    yield open_in
    for context in contexts:
        context.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def now_us() -> int:
    return time.time_ns() // 1000


def test_overview_shows_what_is_stored_in_either_theme_and_asks_nobody_else(
    dashboard: Start, open_visit: Callable[..., Visit], database: Path, scheme: str
) -> None:
    batch = fill(database, now_us(), minutes=5, per_second=5.0)
    visit = open_visit(scheme)
    visit.page.goto(dashboard(database))

    expect(visit.page.locator(".tile")).to_have_count(9)
    expect(visit.requests).to_have_text(f"{len(batch.records):,}")
    expect(visit.figure("spend")).to_have_text("0.1785 USD/h")
    expect(visit.page.locator(".promise.met")).to_have_count(3)
    expect(visit.page.locator(".status")).to_contain_text("Europe/Berlin")
    expect(visit.page.locator(".provenance")).to_contain_text("aws c7i.xlarge in us-east-1")
    for chart, words in (("cost-over-time", "Idle"), ("latency-over-time", "p99 target 80 ms")):
        drawn = visit.page.locator(f".st-key-{chart} .js-plotly-plot")
        expect(drawn).to_be_visible()
        expect(drawn).to_contain_text(words)
    expect(visit.page.locator(".stApp")).to_have_css("background-color", BACKGROUNDS[scheme])
    expect(visit.page.get_by_text("Deploy", exact=True)).to_have_count(0)
    assert visit.hosts == {"127.0.0.1"}
    assert visit.complaints == []


def test_a_new_commit_is_shown_without_a_reload(
    dashboard: Start, open_visit: Callable[..., Visit], database: Path
) -> None:
    batch = fill(database, now_us(), minutes=2, per_second=3.0)
    visit = open_visit()
    visit.page.goto(dashboard(database))
    before = len(batch.records)
    expect(visit.requests).to_have_text(f"{before:,}")
    visit.page.evaluate("window.sameDocument = true")

    at_us = now_us()
    late = Batch(
        records=[usage_record(arrived_at_us=at_us, seq=10_000 + n) for n in range(7)],
        samples=[node_sample(sampled_at_us=at_us)],
    )
    commit(database, late, now_us=at_us)

    expect(visit.requests).to_have_text(f"{before + 7:,}")
    assert visit.page.evaluate("window.sameDocument") is True
    assert visit.complaints == []


def test_an_empty_dashboard_fills_by_itself(
    dashboard: Start, open_visit: Callable[..., Visit], database: Path
) -> None:
    visit = open_visit()
    visit.page.goto(dashboard(database))
    expect(visit.page.get_by_text("No database yet")).to_be_visible()
    fill(database, now_us(), minutes=1, per_second=3.0)
    expect(visit.page.locator(".tile")).to_have_count(9)
    expect(visit.page.get_by_text("No database yet")).to_have_count(0)


def test_the_chosen_window_is_in_the_url_and_survives_a_reload(
    dashboard: Start, open_visit: Callable[..., Visit], database: Path
) -> None:
    fill(database, now_us(), minutes=1, per_second=3.0)
    visit = open_visit()
    visit.page.goto(dashboard(database))
    visit.page.get_by_role("radio", name="1 hour").click()
    visit.page.wait_for_url("**?window=1+hour")
    shown = visit.page.get_by_role("region", name="Figures of the last 1 hour")
    expect(shown).to_be_visible()
    visit.page.reload()
    expect(shown).to_be_visible()


def test_requests_can_be_read_and_taken_away_as_a_file(
    dashboard: Start, open_visit: Callable[..., Visit], database: Path
) -> None:
    fill(database, now_us(), minutes=1, per_second=5.0)
    visit = open_visit()
    visit.page.goto(dashboard(database))
    visit.page.get_by_role("link", name="Requests").click()
    expect(visit.page.get_by_test_id("stDataFrame")).to_be_visible()
    expect(visit.page.locator(".st-key-cost-by-latency .js-plotly-plot")).to_be_visible()
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Download CSV").click()
    with download.value.path().open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 100
    assert all("." in row["direct_usd"] for row in rows if row["cache"] == "miss")
    assert visit.hosts == {"127.0.0.1"}
    assert visit.complaints == []
