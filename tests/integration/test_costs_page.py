"""The Costs page: what is shown adds up to what was stored, and what is unknown is said."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from store import Batch, commit
from tests.fixtures_usage import SECOND_US, traffic, usage_record
from tests.integration.dashboard_reader import Reader, html, messages, now_us, specs

CHARTS = 3
SLICES = 2  # the third table of the page
TILES = ("cost-total", "cost-per-1000", "cost-idle", "cost-failed", "cost-saved")


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(tmp_path, monkeypatch)


def fill(reader: Reader, *, seconds: int = 240, **node: str) -> Batch:
    to_us = now_us() // SECOND_US * SECOND_US
    batch = traffic(to_us - seconds * SECOND_US, to_us, per_second=8.0, node=node)
    commit(reader.database, batch, now_us=to_us)
    return batch


def test_tiles_charts_and_tables_are_shown(reader: Reader) -> None:
    batch = fill(reader)
    page = reader.page("costs")
    for key in TILES:
        assert f'data-figure="{key}"' in html(page)
    assert len(specs(page)) == CHARTS
    components, bought, slices = (table.value for table in page.dataframe)
    assert list(components["component"]) == ["Compute used", "Network", "Idle", "All"]
    assert list(bought["option"]) == ["on-demand"]
    assert list(slices["requests"].dropna()) == [len(batch.records)]
    assert not messages(page)


@pytest.mark.parametrize("rule", ["separate", "proportional", "even", "owner&owner=search"])
def test_the_rows_add_up_to_the_cost_of_the_window_under_every_rule(
    reader: Reader, rule: str
) -> None:
    fill(reader)
    page = reader.page("costs", f"by=tenant&idle={rule}")
    slices = page.dataframe[SLICES].value
    whole = slices["cost"].sum()
    plain = reader.page("costs", "by=tenant").dataframe[SLICES].value
    assert whole == pytest.approx(plain["cost"].sum(), rel=1e-9)
    assert slices["share"].sum() == pytest.approx(1)
    groups = set(slices["group"])
    assert ("not shared out" in groups) == (rule == "separate")
    if rule.startswith("owner"):
        borne = slices.set_index("group")["borne"]
        assert borne["search"] > 0
        assert borne.drop("search").sum() == 0


def test_a_grouping_by_several_fields_offers_no_owner(reader: Reader) -> None:
    fill(reader)
    page = reader.page("costs", "idle=owner")
    assert page.selectbox(key="idle").value == "separate"
    assert "owner" not in {box.key for box in page.selectbox}


def test_a_filter_on_requests_leaves_out_what_no_request_causes(reader: Reader) -> None:
    fill(reader)
    page = reader.page("costs", "tenant=search&by=tenant")
    assert "Cost of the requests" in html(page)
    [row] = page.dataframe[SLICES].value.to_dict("records")
    assert (row["group"], row["share"]) == ("search", 1.0)
    assert "figures of machines are of all" in html(page)


def test_machines_and_bytes_without_a_price_are_said_to_be_left_out(reader: Reader) -> None:
    fill(reader, cloud="moon", region="crater", instance_type="rover")
    told = " ".join(messages(reader.page("costs")))
    assert "moon rover in crater" in told
    assert "bytes from moon crater to the internet" in told


def test_wrong_resources_are_one_sentence_and_no_traceback(reader: Reader) -> None:
    fill(reader)
    (reader.prices / "resources.toml").write_text("[[cache]]\nname = 'redis'\n", encoding="utf-8")
    [told] = messages(reader.page("costs"))
    assert "resources.toml" in told
    assert "cloud" in told


def test_commitments_have_a_line_and_a_table_of_their_own(reader: Reader) -> None:
    fill(reader, purchase_option="reserved")
    begin = datetime.fromtimestamp(now_us() / 1e6, UTC).date() - timedelta(days=30)
    (reader.prices / "resources.toml").write_text(
        f"""
[[commitment]]
id = "ri-1"
cloud = "aws"
region = "us-east-1"
instance_type = "c7i.xlarge"
count = 3
term_years = 1
from = {begin}
usd_per_hour = "0.10"
""",
        encoding="utf-8",
    )
    page = reader.page("costs")
    components, bought, commitments, _ = (table.value for table in page.dataframe)
    assert "Commitments" in set(components["component"])
    assert list(bought["option"]) == ["reserved"]
    [row] = commitments.to_dict("records")
    assert row["machine"] == "c7i.xlarge, aws us-east-1"
    # Three machines, for as long as facts are stored in the window, one of them used.
    assert 0.7 <= float(row["hours"]) <= 0.75
    assert 0 < float(row["paid"]) - float(row["unused"]) < float(row["paid"]) / 3
    assert not messages(page)


def test_no_database_is_said_with_how_to_get_one(reader: Reader) -> None:
    page = reader.page("costs")
    assert page.subheader[0].value == "No database yet"


def test_requests_without_a_cost_yet_are_counted(reader: Reader) -> None:
    batch = fill(reader)
    newest = max(record.arrived_at_us for record in batch.records)
    late = usage_record(
        boot_id="0198c0de-0000-7000-8000-00000000000b", arrived_at_us=newest, tenant="search"
    )
    commit(reader.database, Batch([late]), now_us=newest)
    assert "1 executed request has no direct cost yet" in html(reader.page("costs"))


def test_costs_by_what_no_filter_can_tell_are_shown(reader: Reader) -> None:
    fill(reader)
    page = reader.page("costs", "by=cache")
    assert set(page.dataframe[SLICES].value["group"]) >= {"miss", "memory"}


def test_tokens_have_a_price_of_their_own(reader: Reader) -> None:
    to_us = now_us() // SECOND_US * SECOND_US
    batch = traffic(to_us - 60 * SECOND_US, to_us, per_second=8.0)
    records = [replace(each, input_tokens=100, output_tokens=20) for each in batch.records]
    commit(reader.database, Batch(records, batch.samples), now_us=to_us)
    [row] = (
        reader.page("costs", "by=model&idle=proportional")
        .dataframe[SLICES]
        .value.to_dict("records")
    )
    assert row["per_million"] == pytest.approx(row["cost"] / len(records) / 120 * 1e6)
