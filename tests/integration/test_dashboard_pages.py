"""Pages as a reader meets them: real databases, Streamlit's own test runner, words shown."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reports import load_overview
from store import Batch, commit, open_writer
from tests.fixtures_usage import (
    MINUTE_US,
    MONDAY_US,
    SECOND_US,
    fill,
    node_sample,
    on_behalf,
    rejected_line,
    usage_record,
)
from tests.integration.dashboard_reader import Reader, html, messages, now_us, specs, text

# Enough for every page, and quick to commit.
MINUTES, PER_SECOND = 4, 5.0


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


def test_without_a_database_the_reader_is_told_what_to_run(reader: Reader) -> None:
    for page in (reader.overview(), reader.requests()):
        assert [heading.value for heading in page.subheader] == ["No database yet"]
        for words in ("make demo", "inference_node serve", "collectors run", str(reader.database)):
            assert words in text(page)
        assert not messages(page)


def test_a_database_without_facts_is_told_from_a_missing_one(reader: Reader) -> None:
    commit(reader.database, Batch(), now_us=now_us())
    for page in (reader.overview(), reader.requests()):
        assert [heading.value for heading in page.subheader] == ["No requests recorded yet"]
        assert "make demo" in text(page)


def test_an_empty_page_fills_once_facts_arrive(reader: Reader) -> None:
    page = reader.overview()
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    reader.run(page)
    assert not page.subheader
    assert 'data-figure="spend"' in html(page)


def test_fresh_data_shows_nine_tiles_two_charts_and_the_price(reader: Reader) -> None:
    batch = fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    page = reader.overview()
    shown = html(page)
    assert shown.count('class="tile"') == 9
    assert f"<dd>{len(batch.records):,}</dd>" in shown
    assert '<p class="value">0.1785<span class="unit"> USD/h' in shown
    assert "aws c7i.xlarge in us-east-1, on-demand" in shown
    assert "as of" in shown
    assert "source" in shown
    assert " s ago" in shown
    assert len(specs(page)) == 2
    assert not messages(page)


def test_each_latency_is_held_to_its_target_in_words(reader: Reader) -> None:
    reader.targets.write_text("[latency_ms]\np50 = 10\np95 = 40\np99 = 0.5\n", encoding="utf-8")
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    shown = html(reader.overview())
    assert shown.count(">met</span>") == 2
    assert shown.count(">missed</span>") == 1


def test_nothing_is_recomputed_until_something_was_committed(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return load_overview(*arguments)

    monkeypatch.setattr("dashboard.readings.overview.load_overview", counted)
    # One minute of the clock: the current minute is a part of the key.
    fixed_us = MONDAY_US + 30 * SECOND_US
    monkeypatch.setattr("dashboard.readings.asked.now_us", lambda: fixed_us)
    fill(reader.database, fixed_us, minutes=MINUTES, per_second=PER_SECOND)
    page = reader.overview()
    reader.run(page)
    assert len(calls) == 1
    commit(reader.database, Batch(records=[usage_record(arrived_at_us=fixed_us)]), now_us=fixed_us)
    reader.run(page)
    assert len(calls) == 2


def test_stale_data_is_shown_with_how_old_it_is_and_what_stretch_it_is_of(reader: Reader) -> None:
    end_us = now_us() // MINUTE_US * MINUTE_US - 3 * 60 * MINUTE_US
    fill(reader.database, end_us, minutes=MINUTES, per_second=PER_SECOND)
    page = reader.overview()
    [message] = messages(page)
    at = time.strftime("%H:%M", time.gmtime(end_us / SECOND_US))
    assert message.startswith("No data for 3 h; showing the 15 minutes up to ")
    assert message.endswith(at)
    assert html(page).count('class="tile"') == 9


def test_the_window_comes_from_the_url(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    page = reader.overview(window="6 hours")
    assert page.segmented_control[0].value == "6 hours"
    assert 'aria-label="Figures of the last 6 hours"' in html(page)


def test_choosing_a_window_shows_that_window(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    page = reader.overview()
    page.segmented_control[0].set_value("1 hour")
    reader.run(page)
    assert 'aria-label="Figures of the last 1 hour"' in html(page)


def test_a_window_that_does_not_exist_falls_back_to_the_first(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    assert reader.overview(window="a fortnight").segmented_control[0].value == "15 minutes"


def test_rejected_lines_are_counted_in_a_warning(reader: Reader) -> None:
    now = now_us()
    fill(reader.database, now, minutes=MINUTES, per_second=PER_SECOND)
    commit(reader.database, Batch(rejected=[rejected_line(), rejected_line()]), now_us=now)
    [message] = messages(reader.overview())
    assert message.startswith("2 lines were rejected")


def test_dropped_records_are_told_with_how_many_and_where_on_both_pages(reader: Reader) -> None:
    now = now_us()
    fill(reader.database, now, minutes=MINUTES, per_second=PER_SECOND)
    samples = [
        node_sample(sampled_at_us=now - SECOND_US, node_id=name, records_dropped=count)
        for name, count in (("node_a", 1_200), ("node-b", 34))
    ]
    newest = usage_record(arrived_at_us=now - SECOND_US)
    commit(reader.database, Batch([newest], samples), now_us=now)
    for page in (reader.overview(), reader.requests()):
        [message] = [m for m in messages(page) if "dropped" in m]
        assert message.startswith(
            "1,234 records were dropped in the time shown: 34 by node-b, 1,200 by node_a."
        )


def test_an_execution_on_behalf_of_a_request_is_listed_as_that_and_is_no_request(
    reader: Reader,
) -> None:
    now = now_us() // SECOND_US * SECOND_US
    at = {"arrived_at_us": now - SECOND_US}
    samples = [node_sample(sampled_at_us=now, busy_us=8_250)]
    executed = [on_behalf(**at), on_behalf(route="cascade_attempt", seq=3, **at)]
    commit(reader.database, Batch([usage_record(**at), *executed], samples), now_us=now)
    frame = reader.requests().dataframe[0].value
    assert list(frame["route"]) == ["cascade attempt", "shadow", "direct"]
    assert (frame["direct"] > 0).all()
    [chart] = specs(reader.requests())
    assert sum(len(trace["x"]) for trace in chart["data"] if "x" in trace) == 1
    assert "1 request stored" in html(reader.overview())


def test_requests_without_a_measured_cost_are_counted_in_plain_words(reader: Reader) -> None:
    now = now_us()
    fill(reader.database, now, minutes=MINUTES, per_second=PER_SECOND)
    lost = usage_record(arrived_at_us=now, boot_id="0198c0de-0000-7000-8000-00000000dead")
    commit(reader.database, Batch(records=[lost]), now_us=now)
    assert "1 executed request has no direct cost yet" in html(reader.overview())


def test_a_machine_without_a_price_is_named_and_its_cost_is_not_zero(reader: Reader) -> None:
    node = {"instance_type": "z9.mega_large"}
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND, node=node)
    for page in (reader.overview(), reader.requests()):
        [message] = messages(page)
        assert "No price is known for aws z9.mega_large in us-east-1, on-demand" in message
    assert '<p class="value">\N{EN DASH}<span class="unit"> USD/h' in html(reader.overview())
    executed = reader.requests().dataframe[0].value.query("cache == 'miss'")
    assert executed["direct"].isna().all()


def test_a_machine_that_is_named_like_markup_is_shown_as_text(reader: Reader) -> None:
    node = {"region": "<img src=x>", "instance_type": "*a*"}
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND, node=node)
    header = "cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source\n"
    row = "aws,<img src=x>,*a*,on_demand,1,,today,<b>\n"
    (reader.prices / "instances.csv").write_text(header + row, encoding="utf-8")
    shown = html(reader.overview())
    assert "<img" not in shown
    assert "&lt;img src=x&gt;" in shown


def test_a_database_of_a_newer_version_is_refused_in_one_sentence(reader: Reader) -> None:
    commit(reader.database, Batch(), now_us=now_us())
    with open_writer(reader.database) as connection:
        connection.execute("INSERT INTO schema_migration VALUES (999)")
    for page in (reader.overview(), reader.requests()):
        [message] = messages(page)
        assert "schema version 999 is newer than this program" in message


def test_a_file_that_is_no_database_is_refused_in_one_sentence(reader: Reader) -> None:
    reader.database.write_bytes(b"garbage" * 1000)
    for page in (reader.overview(), reader.requests()):
        [message] = messages(page)
        assert str(reader.database) in message


def test_a_wrong_price_file_is_named_with_line_and_field(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    prices = reader.prices / "instances.csv"
    lines = prices.read_text(encoding="utf-8").splitlines()
    lines[1] = "aws,us-east-1,c7i.xlarge,on_demand,free,,today,nowhere"
    prices.write_text("\n".join(lines), encoding="utf-8")
    for page in (reader.overview(), reader.requests()):
        [message] = messages(page)
        assert "line 2: usd_per_hour is 'free'" in message


def test_a_corrected_price_file_is_read_again(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    prices = reader.prices / "instances.csv"
    right = prices.read_text(encoding="utf-8")
    prices.write_text("nonsense", encoding="utf-8")
    page = reader.overview()
    assert messages(page)
    prices.write_text(right, encoding="utf-8")
    reader.run(page)
    assert not messages(page)


def test_a_missing_targets_file_is_named(reader: Reader) -> None:
    reader.targets.unlink()
    [message] = messages(reader.overview())
    assert str(reader.targets) in message


def test_an_argument_that_is_not_understood_is_named_on_the_page(reader: Reader) -> None:
    [message] = messages(reader.overview("--colour", "blue"))
    assert "--colour" in message
    assert "--database" in message


def test_a_defect_is_told_without_its_traceback(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret detail")

    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    monkeypatch.setattr("dashboard.readings.overview.load_overview", broken)
    [message] = messages(reader.overview())
    assert message.startswith("This page could not be drawn.")
    assert "secret detail" not in message
    assert "secret detail" in caplog.text


HOLD = """
import sys
from pathlib import Path
from store import open_writer
with open_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_for_writing(database: Path) -> Iterator[None]:
    """Hold `database` open for writing in another process, as a collector does."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.communicate("")


def test_while_the_database_is_busy_the_last_picture_stays_with_a_note(reader: Reader) -> None:
    batch = fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    overview, requests = reader.overview(), reader.requests()
    with held_for_writing(reader.database):
        reader.run(overview)
        reader.run(requests)
    assert f"<dd>{len(batch.records):,}</dd>" in html(overview)
    assert "the database is being written to; trying again" in html(overview)
    assert len(requests.dataframe[0].value) == 100
    assert "being written to; trying again" in text(requests)
    assert not messages(overview)


def test_a_database_that_is_busy_from_the_start_is_waited_for(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    with held_for_writing(reader.database):
        page = reader.overview()
    assert "being written to; trying again" in text(page)
    assert not messages(page)
    reader.run(page)
    assert html(page).count('class="tile"') == 9


def test_the_latest_requests_are_listed_newest_first_with_their_costs(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    page = reader.requests()
    frame = page.dataframe[0].value
    assert len(frame) == 100
    assert frame["time"].is_monotonic_decreasing
    executed = frame[frame["cache"] == "miss"]
    assert (executed["direct"] > 0).all()
    assert (executed["fully_loaded"] > executed["direct"]).all()
    assert "price per hour / workers ready x compute time x items / batch size" in text(page)
    assert len(specs(page)) == 1
    assert not messages(page)


def test_more_requests_can_be_listed_and_refreshing_is_off_until_asked_for(reader: Reader) -> None:
    fill(reader.database, now_us(), minutes=MINUTES, per_second=PER_SECOND)
    page = reader.requests()
    assert page.toggle[0].value is False
    page.segmented_control(key="latest").set_value("500")
    reader.run(page)
    assert len(page.dataframe[0].value) == 500


def test_a_single_second_of_data_is_enough_for_every_page(reader: Reader) -> None:
    now = now_us() // SECOND_US * SECOND_US
    batch = Batch(
        records=[usage_record(arrived_at_us=now - SECOND_US)],
        samples=[node_sample(sampled_at_us=now, busy_us=1_500)],
    )
    commit(reader.database, batch, now_us=now)
    assert html(reader.overview()).count('class="tile"') == 9
    assert len(reader.requests().dataframe[0].value) == 1
