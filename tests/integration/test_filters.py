"""One filter for all pages: kept in the address, said in words, and right in what it shows."""

from pathlib import Path
from urllib.parse import parse_qs

import msgspec
import pytest
from streamlit.testing.v1 import AppTest

from store import Batch, commit
from tests.fixtures_usage import MINUTE_US, SECOND_US, traffic
from tests.integration.dashboard_reader import Reader, address, html, messages, now_us, text

PAGES = ("overview", "latency", "utilization", "requests", "health")
SHOP_OR_SEARCH = "tenant=shop&tenant=search"


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


@pytest.fixture
def batch(reader: Reader) -> Batch:
    """Store two minutes of two nodes: one of digits@1 in us-east-1, one of digits@2 elsewhere."""
    to_us = now_us() // SECOND_US * SECOND_US
    one = traffic(to_us - 2 * MINUTE_US, to_us, per_second=6)
    boot_id = "0198c0de-0000-7000-8000-000000000002"
    node = {"node_id": "node-2", "boot_id": boot_id, "region": "eu-west-1"}
    two = traffic(to_us - 2 * MINUTE_US, to_us, per_second=3, seed=8, node=node)
    moved = {"node_id": "node-2", "boot_id": boot_id, "model_version": "2", "labels": {}}
    records = one.records + [msgspec.structs.replace(r, **moved) for r in two.records]
    found = Batch(records, one.samples + two.samples)
    commit(reader.database, found, now_us=to_us)
    return found


def chips(page: AppTest) -> list[str]:
    """Return what the filter says, without the escapes of its Markdown."""
    buttons = [button for button in page.button if (button.key or "").startswith("chip-")]
    return [button.label.replace("\\", "") for button in buttons]


def test_a_link_shows_its_slice_on_every_page(reader: Reader, batch: Batch) -> None:
    query = "window=1+hour&tenant=shop&model_version=2"
    slice_ = [r for r in batch.records if r.tenant == "shop" and r.model_version == "2"]
    assert f"<dd>{len(slice_):,}</dd>" in html(reader.page("overview", query))
    latency = reader.page("latency", query)
    assert list(latency.dataframe[0].value["requests"]) == [len(slice_)]
    executed = sum(r.items for r in slice_ if r.batch_size)
    assert f"<dd>{executed:,}</dd>" in html(reader.page("utilization", query))
    table = reader.page("requests", f"{query}&latest=1000").dataframe[0].value
    assert len(table) == len(slice_)
    assert set(table["tenant"]) == {"shop"}
    assert "The filter does not apply here" in html(reader.page("health", query))


def test_the_active_filter_is_told_in_words_on_every_page_it_applies_to(
    reader: Reader, batch: Batch
) -> None:
    query = f"{SHOP_OR_SEARCH}&label=team%3Dcheckout&region=us-east-1"
    for name in PAGES[:-1]:
        shown = chips(reader.page(name, query))
        assert shown == ["Tenant: search or shop", "team: checkout", "Region: us-east-1"], name


def test_a_choice_in_the_panel_is_put_in_the_address(reader: Reader, batch: Batch) -> None:
    page = reader.page("overview", "window=1+hour")
    page.multiselect(key="filter_tenant").set_value(["shop", "search"])
    page.multiselect(key="filter_label").set_value([("team", None)])
    reader.run(page)
    assert address(page) == {
        "window": ["1 hour"],
        "tenant": ["search", "shop"],
        "label": ["team"],
    }
    expected = [r for r in batch.records if r.tenant in ("shop", "search") and not r.labels]
    assert f"<dd>{len(expected):,}</dd>" in html(page)


def test_the_panel_offers_the_values_that_occur(reader: Reader, batch: Batch) -> None:
    page = reader.page("latency")
    assert page.multiselect(key="filter_tenant").options == ["internal", "search", "shop"]
    assert page.multiselect(key="filter_region").options == ["eu-west-1", "us-east-1"]
    labels = ["team: checkout", "team: \N{EN DASH} none"]
    assert page.multiselect(key="filter_label").options == labels


def test_taking_one_part_out_keeps_the_others(reader: Reader, batch: Batch) -> None:
    page = reader.page(
        "overview", "window=6+hours&tenant=shop&region=us-east-1&label=a%3D1&label=b"
    )
    page.button(key="chip-tenant").click()
    reader.run(page)
    page.button(key="chip-label-a").click()
    reader.run(page)
    assert address(page) == {"window": ["6 hours"], "region": ["us-east-1"], "label": ["b"]}
    assert chips(page) == ["b: \N{EN DASH} none", "Region: us-east-1"]


def test_clearing_the_filter_keeps_the_window(reader: Reader, batch: Batch) -> None:
    page = reader.page("overview", f"window=1+hour&{SHOP_OR_SEARCH}&model=digits")
    page.button(key="clear-filters").click()
    reader.run(page)
    assert address(page) == {"window": ["1 hour"]}
    assert not chips(page)
    assert f"<dd>{len(batch.records):,}</dd>" in html(page)


def test_the_default_window_stands_in_no_address(reader: Reader, batch: Batch) -> None:
    page = reader.page("overview", "window=1+hour")
    page.segmented_control(key="window").set_value("15 minutes")
    reader.run(page)
    assert address(page) == {}


def test_the_navigation_takes_window_and_filter_along_and_nothing_else(
    reader: Reader, batch: Batch
) -> None:
    page = reader.overview(query="window=7+days&tenant=shop&latest=500&stranger=1")
    links = [link.proto for link in page.get("page_link")]
    assert [link.label for link in links] == [
        "Overview",
        "Costs",
        "Weekly review",
        "Budgets",
        "Finance",
        "Latency",
        "Utilisation",
        "Requests",
        "Prices",
        "Data health",
    ]
    for link in links:
        assert parse_qs(link.query_string) == {"window": ["7 days"], "tenant": ["shop"]}


def test_a_broken_link_is_told_and_the_rest_of_it_counts(reader: Reader, batch: Batch) -> None:
    query = f"window=a+fortnight&model=~oops&variant={'x' * 200}&tenant=shop"
    page = reader.page("overview", query)
    told = messages(page)
    assert len(told) == 3
    assert any("model is ~oops" in sentence for sentence in told)
    assert any("variant has 200 characters; accepted: at most 128" in s for s in told)
    assert any('a window of "a fortnight"; there are 15 minutes, 1 hour' in s for s in told)
    shop = [r for r in batch.records if r.tenant == "shop"]
    assert f"<dd>{len(shop):,}</dd>" in html(page)


def test_too_many_values_in_a_link_are_told_in_one_sentence(reader: Reader, batch: Batch) -> None:
    page = reader.page("latency", "&".join(f"tenant=t{n}" for n in range(201)))
    [sentence] = messages(page)
    assert "201 values; accepted: at most 200 in all" in sentence
    assert 'data-figure="latency-p99"' in html(page)


def test_a_value_that_does_not_occur_counts_and_is_shown(reader: Reader, batch: Batch) -> None:
    for name in ("overview", "latency", "requests"):
        page = reader.page(name, "tenant=ghost")
        assert chips(page) == ["Tenant: ghost"]
        assert page.multiselect(key="filter_tenant").value == ["ghost"]
        assert "No request of this window matches the filter" in page.info[0].value, name


def test_a_machine_that_does_not_occur_is_told_on_the_page_of_machines(
    reader: Reader, batch: Batch
) -> None:
    page = reader.page("utilization", "region=mars")
    assert "No machine that ran in this window matches" in page.info[0].value


def test_what_has_no_value_can_be_asked_for(reader: Reader) -> None:
    to_us = now_us() // SECOND_US * SECOND_US
    found = traffic(to_us - MINUTE_US, to_us, per_second=3)
    nameless = [msgspec.structs.replace(r, model=None) for r in found.records[:5]]
    commit(reader.database, Batch(nameless + found.records[5:], found.samples), now_us=to_us)
    page = reader.page("overview", "model=~null")
    assert chips(page) == ["Model: \N{EN DASH} none"]
    assert "<dd>5</dd>" in html(page)


def test_names_in_a_link_are_text_and_never_markup(reader: Reader, batch: Batch) -> None:
    query = "tenant=%3Cimg+src%3Dx%3E+%2A%2Abold%2A%2A+%3Ared%5Bx%5D&window=%3Cb%3E+%2Ax%2A"
    page = reader.page("overview", query)
    [label] = [b.label for b in page.button if b.key == "chip-tenant"]
    assert label == r"Tenant\: \<img src=x\> \*\*bold\*\* \:red\[x\]"
    assert "<img" not in html(page)
    assert r"\<b\> \*x\*" in page.warning[0].value


def test_a_slice_is_told_by_its_direct_cost_and_machines_by_all_they_did(
    reader: Reader, batch: Batch
) -> None:
    shown = html(reader.page("overview", "tenant=shop"))
    for key in ("own-spend", "own-unit-cost"):
        assert f'data-figure="{key}"' in shown
    for key in ("spend", "unit-cost"):
        assert f'data-figure="{key}"' not in shown
    assert "Utilisation, all requests" in shown
    assert "Idle share of the machines" in shown
    assert "needs an allocation" in shown
    assert "idle time belongs to no single tenant or model" in shown


def test_a_filter_on_machines_alone_keeps_every_figure(reader: Reader, batch: Batch) -> None:
    shown = html(reader.page("overview", "node_id=node-2"))
    assert 'data-figure="spend"' in shown
    assert 'data-figure="unit-cost"' in shown
    assert "in eu-west-1" in shown
    assert "in us-east-1" not in shown
    assert "needs an allocation" not in shown


def test_the_pages_without_data_keep_the_choice(reader: Reader) -> None:
    for name in PAGES:
        page = reader.page(name, "tenant=shop&window=1+hour")
        assert [heading.value for heading in page.subheader] == ["No database yet"], name
        assert address(page) == {"tenant": ["shop"], "window": ["1 hour"]}, name
        assert "make demo" in text(page)
