"""Simulated history on pages: marked where it is shown or compared with, gone where hidden."""

import csv
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from store import Batch, commit
from tests.fixtures_usage import MINUTE_US, SECOND_US, node_sample, usage_record
from tests.integration.dashboard_reader import Reader, html, now_us, text

MADE_UP = {"node_id": "sim-1", "boot_id": "0198c0de-0000-7000-8000-000000000002"}
HIDE, BOTH = "simulated=no", "window=1+hour"


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


@pytest.fixture
def two_pasts(reader: Reader) -> None:
    """Store a simulated node of up to 16 minutes ago, and a measured one since."""
    fill(reader, range(16, 31), "simulated", tenant="search", **MADE_UP)
    fill(reader, range(15), "live")


def fill(reader: Reader, minutes: range, origin: str, tenant: str = "shop", **node: Any) -> None:
    """Store a request and a sample for each of the `minutes` before now."""
    end_us = now_us() // SECOND_US * SECOND_US
    batch = Batch()
    for number in minutes:
        at_us = end_us - number * MINUTE_US
        arrived: dict[str, Any] = {"arrived_at_us": at_us - SECOND_US, "seq": 31 - number}
        record_id = f"0198c0de-0000-7000-8000-{number:012x}"
        batch.records.append(
            usage_record(record_id=record_id, origin=origin, tenant=tenant, **arrived, **node)
        )
        batch.samples.append(node_sample(sampled_at_us=at_us, interval_us=MINUTE_US, **node))
    commit(reader.database, batch, now_us=end_us)


def style(page: AppTest) -> str:
    """Return the style sheet that marks figures, "" where none is marked."""
    bodies: list[str] = [element.proto.body for element in page.get("html")]
    return "\n".join(body for body in bodies if body.startswith("<style") and 'simulated"' in body)


def files(reader: Reader, monkeypatch: pytest.MonkeyPatch, name: str, query: str) -> dict[str, str]:
    """Return what the buttons of a page hand out, by file name."""
    found: dict[str, str] = {}

    def kept(_: str, data: Any, *, file_name: str, **__: Any) -> None:
        found[file_name] = data()

    with monkeypatch.context() as patched:
        patched.setattr(st, "download_button", kept)
        reader.page(name, query)
    return found


@pytest.mark.parametrize("name", ["overview", "costs", "latency", "utilization"])
def test_measured_figures_that_are_compared_with_simulated_ones_say_so(
    reader: Reader, two_pasts: None, name: str
) -> None:
    page = reader.page(name)
    assert "Measured, but changes are against a time of which" in html(page)
    assert 'content: "against simulated"' in style(page)
    assert "section" not in style(page)
    assert "never ran" not in html(reader.page(name, HIDE))
    assert not style(reader.page(name, HIDE))


def test_what_compares_nothing_has_nothing_to_say_of_the_time_before(
    reader: Reader, two_pasts: None
) -> None:
    assert "never ran" not in html(reader.page("requests"))
    assert "30 requests stored in" in html(reader.page("overview"))
    assert ", 15 of them simulated." in html(reader.page("overview"))
    assert "15 requests stored in" in html(reader.page("overview", HIDE))


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("costs", {"costs.csv", "components.csv", "machines.csv"}),
        ("latency", {"latency.csv"}),
        ("utilization", {"nodes.csv"}),
    ],
)
def test_a_table_that_is_taken_away_says_what_of_it_is_simulated(
    reader: Reader, two_pasts: None, monkeypatch: pytest.MonkeyPatch, name: str, names: set[str]
) -> None:
    def marks(query: str) -> set[str | None]:
        found = files(reader, monkeypatch, name, query)
        assert set(found) == names
        rows = [row for text in found.values() for row in csv.DictReader(text.splitlines())]
        assert rows
        return {row.get("simulated") for row in rows}

    assert marks(BOTH) == {"part"}
    assert marks(f"{BOTH}&simulated=yes") == {"all"}
    assert marks(f"{BOTH}&{HIDE}") == {None}
    # Nor is a page without any marked because the one before was.
    assert marks("") == {None}


def test_what_is_hidden_is_offered_nowhere(reader: Reader, two_pasts: None) -> None:
    def offered(query: str) -> list[str]:
        return list(reader.page("latency", query).multiselect(key="filter_tenant").options)

    assert offered(BOTH) == ["search", "shop"]
    assert offered(f"{BOTH}&{HIDE}") == ["shop"]
    prices = html(reader.page("prices", f"{BOTH}&{HIDE}"))
    assert "us-east-1" in prices
    assert "simulated" not in prices


def test_where_all_is_hidden_no_page_says_that_nothing_is_stored(reader: Reader) -> None:
    fill(reader, range(10), "simulated", **MADE_UP)
    for name in ("overview", "costs", "latency", "utilization", "requests", "weekly", "budgets"):
        page = reader.page(name, HIDE)
        assert "because nothing that was measured has been stored" in text(page), name
        assert page.button(key="simulated-switch").label == "Show simulated history"
    assert "Nothing is recorded yet: no machine ran" in html(reader.page("prices", HIDE))


def test_charges_of_what_never_ran_are_marked_where_they_are_asked_for(
    reader: Reader, two_pasts: None
) -> None:
    assert not style(reader.page("finance"))
    assert 'content: "+ simulated"' in style(reader.page("finance", "made_up=true"))


def test_a_link_that_says_neither_is_told(reader: Reader, two_pasts: None) -> None:
    page = reader.page("overview", f"{BOTH}&simulated=maybe")
    assert "simulated is 'maybe'; accepted: yes, no" in page.warning[0].value.replace("\\", "")
    assert "Measured and simulated together" in html(page)
