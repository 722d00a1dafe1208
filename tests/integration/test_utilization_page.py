"""The Utilisation page: machines as they were sampled, and a GPU only where there was one."""

from pathlib import Path

import msgspec
import pytest

from store import Batch, commit
from tests.fixtures_usage import MINUTE_US, SECOND_US, node_sample, traffic
from tests.integration.dashboard_reader import Reader, html, messages, now_us, specs

CHARTS = 6
GPU = {"gpu_utilization": 0.5, "gpu_memory_bytes": 3 * 2**30, "gpu_power_w": 120.0}


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


def minutes(count: int = 2) -> Batch:
    to_us = now_us() // SECOND_US * SECOND_US
    return traffic(to_us - count * MINUTE_US, to_us, per_second=5)


def test_six_tiles_six_charts_and_a_row_per_node_are_shown(reader: Reader) -> None:
    commit(reader.database, minutes(), now_us=now_us())
    page = reader.page("utilization")
    shown = html(page)
    for key in ("workers", "cpu", "gpu", "queue", "batch-fill", "memory"):
        assert f'data-figure="{key}"' in shown
    assert len(specs(page)) == CHARTS
    [row] = page.dataframe[0].value.to_dict("records")
    assert (row["node"], row["machine"], row["ready"]) == ("node-1", "c7i.xlarge", 2.0)
    assert not messages(page)


def test_no_gpu_is_said_plainly_where_none_was_measured(reader: Reader) -> None:
    commit(reader.database, minutes(), now_us=now_us())
    page = reader.page("utilization")
    assert '<p class="value">no GPU<' in html(page)
    assert "no GPU was measured" in html(page)
    lines = [trace["name"] for trace in specs(page)[0]["data"]]
    assert lines == ["Workers", "CPU"]


def test_a_gpu_that_was_measured_is_shown(reader: Reader) -> None:
    batch = minutes()
    samples = [msgspec.structs.replace(sample, **GPU) for sample in batch.samples]
    commit(reader.database, Batch(batch.records, samples), now_us=now_us())
    page = reader.page("utilization")
    shown = html(page)
    assert '<p class="value">50.0%<' in shown
    assert "<dd>120 W</dd>" in shown
    assert "<dd>3.00 GiB</dd>" in shown
    assert "GPU" in [trace["name"] for trace in specs(page)[0]["data"]]
    assert "GPU memory" in [trace["name"] for trace in specs(page)[-1]["data"]]


def test_requests_that_wait_are_shown_as_mean_and_most(reader: Reader) -> None:
    batch = minutes()
    samples = [
        msgspec.structs.replace(sample, queue_depth=8 if n % 4 == 0 else 0)
        for n, sample in enumerate(batch.samples)
    ]
    commit(reader.database, Batch(batch.records, samples), now_us=now_us())
    shown = html(reader.page("utilization"))
    assert '<p class="value">2.00<' in shown
    assert "<dd>8</dd>" in shown


def test_a_filter_on_requests_leaves_machines_whole_and_says_so(reader: Reader) -> None:
    commit(reader.database, minutes(), now_us=now_us())
    everything, some = (reader.page("utilization", q) for q in ("", "tenant=internal"))
    for key in ("workers", "cpu", "queue"):
        figures = [
            html(page).split(f'data-figure="{key}"')[1].split('class="value">')[1].split("<")[0]
            for page in (everything, some)
        ]
        assert figures[0] == figures[1]
    assert "figures of machines are of all that the matching machines did" in html(some)
    assert "figures of machines are of all" not in html(everything)


def test_an_idle_node_is_a_page_without_a_batch(reader: Reader) -> None:
    commit(reader.database, Batch(samples=[node_sample(sampled_at_us=now_us())]), now_us=now_us())
    page = reader.page("utilization")
    assert len(specs(page)) == CHARTS
    assert '<p class="value">\N{EN DASH}<' in html(page)
    assert not messages(page)
