"""The Latency page: what was measured is what is shown, and too little is called too little."""

from pathlib import Path

import msgspec
import pytest

from store import Batch, commit
from tests.fixtures_usage import MINUTE_US, SECOND_US, traffic, usage_record
from tests.integration.dashboard_reader import Reader, html, messages, now_us, specs

CHARTS = 4


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


def fill(reader: Reader, *, seconds: int = 240, per_second: float = 5.0) -> Batch:
    to_us = now_us() // SECOND_US * SECOND_US
    batch = traffic(to_us - seconds * SECOND_US, to_us, per_second=per_second)
    commit(reader.database, batch, now_us=to_us)
    return batch


def test_four_tiles_four_charts_and_a_table_are_shown(reader: Reader) -> None:
    batch = fill(reader)
    page = reader.page("latency")
    shown = html(page)
    for key in ("latency-p50", "latency-p95", "latency-p99", "slo-miss"):
        assert f'data-figure="{key}"' in shown
    assert len(specs(page)) == CHARTS
    assert list(page.dataframe[0].value["requests"]) == [len(batch.records)]
    assert not messages(page)


def test_a_quantile_with_few_slower_requests_is_too_few_to_be_sure(reader: Reader) -> None:
    fill(reader, per_second=2.0)
    page = reader.page("latency")
    assert ", too few to be sure</dd>" in html(page)
    [row] = page.dataframe[0].value.to_dict("records")
    assert row["p99"] != row["p99"]  # not a number: the view says "too few"
    assert page.dataframe[0].proto.placeholder == "too few"


def test_the_table_tells_requests_apart_by_what_is_chosen(reader: Reader) -> None:
    batch = fill(reader)
    page = reader.page("latency")
    assert list(page.dataframe[0].value["group"]) == ["digits@1"]
    page.selectbox(key="by").set_value("tenant")
    reader.run(page)
    table = page.dataframe[0].value
    assert page.query_params["by"] == "tenant"
    counts = {name: sum(r.tenant == name for r in batch.records) for name in table["group"]}
    assert dict(zip(table["group"], table["requests"], strict=True)) == counts
    assert sum(counts.values()) == len(batch.records)


def test_a_label_can_be_told_apart_by_too(reader: Reader) -> None:
    fill(reader)
    page = reader.page("latency", "by=label%3Ateam")
    assert page.selectbox(key="by").value == "label:team"
    assert list(page.dataframe[0].value["group"]) == ["checkout"]


def test_what_cannot_be_told_apart_by_falls_back_to_the_version(reader: Reader) -> None:
    fill(reader)
    page = reader.page("latency", "by=shoe_size")
    assert list(page.dataframe[0].value["group"]) == ["digits@1"]


def test_a_promise_that_is_broken_is_told_with_how_many_broke_it(reader: Reader) -> None:
    reader.targets.write_text("[latency_ms]\np50 = 10\np95 = 40\np99 = 2.5\n", encoding="utf-8")
    batch = fill(reader)
    ok = [r.total_us for r in batch.records if r.status < 400]
    shown = html(reader.page("latency"))
    assert "Slower than 2.5 ms" in shown
    assert shown.count(">missed</span>") == 2
    # Buckets place the limit within 1 %, so the count is that of a limit this near.
    [slower] = [
        part.split("</dd>")[0]
        for part in shown.split("<dd>")
        if part.split("</dd>")[0].endswith(f" of {len(ok):,}")
    ]
    found = int(slower.split(" of ")[0].replace(",", ""))
    assert sum(us > 2_525 for us in ok) <= found <= sum(us > 2_475 for us in ok)


def test_failed_requests_alone_are_a_page_without_a_latency(reader: Reader) -> None:
    to_us = now_us() // SECOND_US * SECOND_US
    failed = usage_record(arrived_at_us=to_us - MINUTE_US, status=503, error="queue_full")
    commit(reader.database, Batch([failed]), now_us=to_us)
    page = reader.page("latency")
    assert html(page).count('<p class="value">\N{EN DASH}') == 4
    [row] = page.dataframe[0].value.to_dict("records")
    assert (row["requests"], row["failed"]) == (1, 1)
    assert not messages(page)


def test_names_of_models_are_text_in_the_table(reader: Reader) -> None:
    to_us = now_us() // SECOND_US * SECOND_US
    found = traffic(to_us - MINUTE_US, to_us, per_second=2)
    records = [msgspec.structs.replace(r, model="<b>", model_version=None) for r in found.records]
    commit(reader.database, Batch(records, found.samples), now_us=to_us)
    assert list(reader.page("latency").dataframe[0].value["group"]) == ["<b>@\N{EN DASH} none"]


def test_a_database_of_one_request_is_enough_for_the_page(reader: Reader) -> None:
    commit(reader.database, Batch([usage_record(arrived_at_us=now_us())]), now_us=now_us())
    page = reader.page("latency")
    assert len(specs(page)) == CHARTS
    assert not messages(page)
