"""A reader of the dashboard for tests: real databases, Streamlit's own runner, words shown."""

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard.settings import ROOT

APP = ROOT / "dashboard/app.py"
PATIENCE_S = 30


class Reader:
    """Opens pages over one database and reads what they say."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # A reading of another test's database must not be found again.
        st.cache_data.clear()
        st.cache_resource.clear()
        self.database = folder / "usage.duckdb"
        self.prices = folder / "prices"
        shutil.copytree(ROOT / "data/prices", self.prices)
        self.targets = folder / "targets.toml"
        shutil.copy(ROOT / "data/targets.toml", self.targets)
        self._monkeypatch = monkeypatch

    def overview(self, *arguments: str, window: str | None = None, query: str = "") -> AppTest:
        """Open the dashboard; the Overview page is what one meets first."""
        page = AppTest.from_file(APP, default_timeout=PATIENCE_S)
        if window:
            page.query_params["window"] = window
        return self.run(_at(page, query), *arguments)

    def page(self, name: str, query: str = "") -> AppTest:
        """Open the page that dashboard/views/`name`.py draws, at the address `query`."""
        script = f"from dashboard.views.{name} import PAGE\nPAGE.show()"
        return self.run(_at(AppTest.from_string(script, default_timeout=PATIENCE_S), query))

    def requests(self) -> AppTest:
        """Open the Requests page."""
        return self.page("requests")

    def run(self, page: AppTest, *arguments: str) -> AppTest:
        """Run `page` (again) with the arguments of this reader; no exception may be shown."""
        files = ("--database", self.database, "--prices", self.prices, "--targets", self.targets)
        self._monkeypatch.setattr(sys, "argv", ["app.py", *map(str, files), *arguments])
        page.run()
        assert not page.exception
        return page


def now_us() -> int:
    return time.time_ns() // 1000


def html(page: AppTest) -> str:
    """Return all HTML on `page` but the style sheet."""
    bodies: list[str] = [element.proto.body for element in page.get("html")]
    return "\n".join(body for body in bodies if not body.startswith("<style"))


def messages(page: AppTest) -> list[str]:
    """Return every warning and error on `page`, without the escapes of its Markdown."""
    return [element.value.replace("\\", "") for element in [*page.error, *page.warning]]


def text(page: AppTest) -> str:
    return "\n".join(element.value for element in [*page.subheader, *page.markdown, *page.caption])


def specs(page: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def address(page: AppTest) -> dict[str, list[str]]:
    """Return the parameters of the page's address that have a value."""
    found = {
        name: [values] if isinstance(values, str) else list(values)
        for name, values in dict(page.query_params).items()
    }
    return {name: values for name, values in found.items() if values}


def _at(page: AppTest, query: str) -> AppTest:
    for name, values in parse_qs(query, keep_blank_values=True).items():
        page.query_params[name] = values
    return page
