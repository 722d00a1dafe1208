"""The Data health page: in two seconds an engineer knows whether the data can be trusted."""

from pathlib import Path

import msgspec
import pytest

from store import Batch, commit
from tests.fixtures_usage import MINUTE_US, SECOND_US, node_sample, rejected_line, traffic
from tests.integration.dashboard_reader import Reader, html, messages, now_us, specs, text

PRICE = "cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source\n"
GOOD = '<span class="promise met">Good</span>'
LOOK = '<span class="promise missed">Look at this</span>'


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    found = Reader(tmp_path, monkeypatch)
    priced(found, "9999-01-01")
    return found


def priced(reader: Reader, as_of: str) -> None:
    row = f"aws,us-east-1,c7i.xlarge,on_demand,0.2,,{as_of},a list\n"
    (reader.prices / "instances.csv").write_text(PRICE + row, encoding="utf-8")


def sound(to_us: int) -> Batch:
    return traffic(to_us - MINUTE_US, to_us, per_second=3)


def whole_now_us() -> int:
    return now_us() // SECOND_US * SECOND_US


def looked_at(shown: str) -> list[str]:
    """Return the keys of the checks that are not good."""
    checks = shown.split('data-check="')[1:]
    return [check.split('"')[0] for check in checks if "look at this" in check]


def test_sound_data_is_good_in_every_check(reader: Reader) -> None:
    to_us = whole_now_us()
    commit(reader.database, sound(to_us), now_us=to_us)
    page = reader.page("health")
    assert GOOD in html(page)
    assert looked_at(html(page)) == []
    assert html(page).count('class="tile check"') == 7
    assert len(specs(page)) == 3
    assert not messages(page)


def test_gaps_and_dropped_facts_are_counted_by_node(reader: Reader) -> None:
    to_us = whole_now_us()
    batch = sound(to_us)
    lost = [r for r in batch.records if r.seq not in (1, 5, 6)]
    samples = [*batch.samples[:-1], msgspec.structs.replace(batch.samples[-1], records_dropped=4)]
    commit(reader.database, Batch(lost, samples), now_us=to_us)
    shown = html(reader.page("health"))
    assert LOOK in shown
    assert looked_at(shown) == ["completeness"]
    assert "3 missing by their sequence numbers, 4 dropped by nodes in the window" in shown
    assert f"<td>{len(lost)}</td><td>3</td><td>4</td>" in shown


def test_rejected_lines_are_listed_by_reason_and_their_text_is_never_markup(
    reader: Reader,
) -> None:
    to_us = whole_now_us()
    lines = [
        rejected_line(byte_offset=7, line="<img src=x onerror=alert(1)>"),
        rejected_line(byte_offset=9, reason="JSON is malformed: invalid character (byte 12)"),
        rejected_line(byte_offset=11, reason="status is <b>; accepted: 100 to 599"),
    ]
    batch = sound(to_us)
    commit(reader.database, Batch(batch.records, batch.samples, lines), now_us=to_us)
    shown = html(reader.page("health"))
    assert looked_at(shown) == ["rejected"]
    assert "JSON is malformed: invalid character (byte #)</td><td>2</td>" in shown
    assert "status is &lt;b&gt;; accepted: # to #" in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert "<img" not in shown
    assert "<b>" not in shown


def test_a_node_that_fell_silent_is_named(reader: Reader) -> None:
    to_us = whole_now_us()
    gone = {"node_id": "node-<gone>", "boot_id": "0198c0de-0000-7000-8000-00000000dead"}
    last = node_sample(sampled_at_us=to_us - 5 * MINUTE_US, **gone)
    batch = sound(to_us)
    commit(reader.database, Batch(batch.records, [*batch.samples, last]), now_us=to_us)
    shown = html(reader.page("health"))
    assert looked_at(shown) == ["nodes"]
    assert "Silent for over a minute: node-&lt;gone&gt;." in shown
    assert "5 min ago, silent" in shown
    assert "1 of 2" in shown


def test_a_node_that_ended_before_the_window_is_no_alarm(reader: Reader) -> None:
    to_us = whole_now_us()
    old = node_sample(
        sampled_at_us=to_us - 60 * MINUTE_US,
        node_id="node-0",
        boot_id="0198c0de-0000-7000-8000-00000000dead",
    )
    batch = sound(to_us)
    commit(reader.database, Batch(batch.records, [*batch.samples, old]), now_us=to_us)
    assert looked_at(html(reader.page("health"))) == []
    assert looked_at(html(reader.page("health", "window=6+hours"))) == ["nodes"]


def test_a_collector_that_stopped_is_told(reader: Reader) -> None:
    to_us = whole_now_us() - 10 * MINUTE_US
    commit(reader.database, sound(to_us), now_us=to_us)
    shown = html(reader.page("health"))
    assert looked_at(shown) == ["freshness", "nodes"]
    assert "Nothing was stored for 10 min: is the collector running?" in shown


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("2020-01-01", "Looked up over 365 days ago"),
        ("some day", "A price says of no date"),
        (None, "without a price: costs leave them out"),
    ],
)
def test_prices_that_are_old_undated_or_missing_are_told(
    reader: Reader, as_of: str | None, words: str
) -> None:
    to_us = whole_now_us()
    commit(reader.database, sound(to_us), now_us=to_us)
    if as_of is None:
        (reader.prices / "instances.csv").write_text(PRICE, encoding="utf-8")
    else:
        priced(reader, as_of)
    shown = html(reader.page("health"))
    assert looked_at(shown) == ["prices"]
    assert words in shown


def test_a_database_without_facts_has_its_health_all_the_same(reader: Reader) -> None:
    commit(reader.database, Batch(rejected=[rejected_line()]), now_us=now_us())
    page = reader.page("health")
    assert looked_at(html(page)) == ["rejected"]
    assert "No node was heard of yet." in html(page)
    assert "make demo" not in text(page)
    assert not messages(page)
