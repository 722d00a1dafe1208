"""Names as clients and owners choose them: none breaks a file, and each can be had back."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from costs.focus import COLUMNS
from costs.price_folder import parse_book
from store import DAY_US, Batch, commit
from tests.fixtures_usage import MINUTE_US, MONDAY_US, node_sample, usage_record
from tests.integration.finance_files import Written, days, write
from tests.integration.finance_fleet import MONDAY
from usage import UsageRecord

NAMES = (
    '=HYPERLINK("x")', "=1+1", "@SUM(A1)", "-1", "+1.50", "Z\u00fcrich", "null", " padded ",
    'a,b\n"c"', "1", "1e5", "true", "'quoted", "2025-11-03", "tab\there", "__idle__",
)  # fmt: skip
INSTANCES = """\
cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source
aws,us-east-1,c7i.xlarge,on_demand,0.1785,,2025,test
own,Zug,rack,on_demand,0.5,,2025,test
own,Z\u00fcrich,rack,on_demand,0.5,,2025,test
own,1,rack,on_demand,0.5,,2025,test
"""
TRANSFER = """\
cloud,region,to,tier_from,usd,per,valid_from,as_of,source
aws,us-east-1,internet,0,0.09,GB,,2025,test
own,Zug,internet,0,9,GB,,2025,test
own,Z\u00fcrich,internet,0,9,GB,,2025,test
own,1,internet,0,9,GB,,2025,test
"""
STORAGE = """\
cloud,region,storage_class,product,usd,per,valid_from,as_of,source
gcp,europe-west4,object_standard,GCS,0.02,GiB-month,,2025,test
"""
STORED = """
[[storage]]
name = "{name}"
cloud = "gcp"
region = "europe-west4"
storage_class = "{kind}"
gb = "1000"
from = 2025-11-01
"""


def write_out(
    folder: Path, records: list[UsageRecord], more: list[Any] | None = None, **files: str
) -> Written:
    """Write the file of Monday for `records` on a machine that ran for a minute of it."""
    samples = [node_sample(sampled_at_us=MONDAY_US + MINUTE_US, interval_us=MINUTE_US)]
    database = folder / "usage.duckdb"
    commit(database, Batch(records, samples + (more or [])), now_us=1)
    texts = {"instances.csv": INSTANCES, "transfer.csv": TRANSFER}
    declared = {"resources.toml": files["resources"], "storage.csv": STORAGE} if files else {}
    prices = parse_book({**texts, **declared}, "prices")
    return write(database, days(MONDAY), prices, folder / "out", excel=True)


def record(number: int, **fields: Any) -> UsageRecord:
    return usage_record(
        seq=number + 1,
        record_id=f"{number:08x}-0000-7000-8000-000000000000",
        arrived_at_us=MONDAY_US + number,
        **fields,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    records = [
        record(n, tenant=name, model=name, labels={"team": name, "app": "__idle__"})
        for n, name in enumerate(NAMES)
    ]
    return write_out(tmp_path_factory.mktemp("names"), records)


def test_names_that_a_reader_could_misread_are_in_the_file_unharmed(written: Written) -> None:
    lines = written.of(x_IsIdle="false")
    for column in ("x_Tenant", "x_ModelName"):
        texts = [line[column] for line in lines]
        assert {json.loads(t) if t.startswith('"') else t for t in texts} == set(NAMES)
    for tag in ("tenant", "team"):
        assert {json.loads(line["Tags"])[tag] for line in lines} == set(NAMES)
    focus = {column.name for column in COLUMNS[:57]}
    assert all(v.isascii() for line in written.lines for k, v in line.items() if k in focus)


def test_only_idle_time_is_named_so_whatever_labels_and_models_say(written: Written) -> None:
    for line in written.lines:
        named = json.loads(line["Tags"] or "{}").get("app") == "__idle__"
        assert named == (line["x_IsIdle"] == "true")


def test_a_spreadsheet_runs_none_of_them_and_has_every_number_as_it_is(written: Written) -> None:
    excel = written.path.with_name(f"{written.path.stem}-excel.csv")
    lines = list(csv.DictReader(excel.read_text(encoding="utf-8-sig").splitlines(keepends=True)))
    changed = set()
    for line, own in zip(lines, written.lines, strict=True):
        for name, text in line.items():
            if text != own[name]:
                assert (name[:2], text) == ("x_", f"'{own[name]}")
                changed.add(own[name])
    assert changed == {name for name in NAMES if name[0] in "=@-+"}


def test_a_label_that_repeats_tenant_or_model_tells_no_requests_apart(tmp_path: Path) -> None:
    # From the cache: neither has machine time, so that their rows would be the same.
    cached: dict[str, Any] = {
        "cache": "memory", "compute_us": 0, "batch_size": 0, "batch_id": None, "worker": None
    }  # fmt: skip
    labels: list[dict[str, str]] = [
        {}, {"tenant": "shop"}, {"app": "digits"}, {"app": "digits", "tenant": "shop"},
        {"b": "1", "a": "2"}, {"a": "2", "b": "1"},
    ]  # fmt: skip
    records = [record(n, labels=each, **cached) for n, each in enumerate(labels)]
    lines = write_out(tmp_path, records).of(x_IsIdle="false", ServiceCategory="Compute")
    assert [(json.loads(line["Tags"]), line["x_RequestCount"]) for line in lines] == [
        ({"app": "digits", "b": "1", "a": "2", "tenant": "shop"}, "2"),
        ({"app": "digits", "tenant": "shop"}, "4"),
    ]


def test_regions_are_in_the_order_in_which_the_file_spells_them(tmp_path: Path) -> None:
    boots = {
        region: {"node_id": f"own-{n}", "boot_id": f"0198c0de-0000-7000-8000-00000000000{n}"}
        for n, region in enumerate(("Zug", "Z\u00fcrich", "1"), 2)
    }
    samples = [
        node_sample(
            sampled_at_us=MONDAY_US + MINUTE_US,
            interval_us=MINUTE_US,
            cloud="own",
            region=region,
            instance_type="rack",
            **boot,
        )
        for region, boot in boots.items()
    ]
    records = [record(n, response_bytes=10**9, **boot) for n, boot in enumerate(boots.values())]
    moved = write_out(tmp_path, records, samples).of(ServiceName="own network")
    assert [line["RegionId"] for line in moved] == [r"Z\xfcrich", "Zug", "region 1"]
    assert {line["BilledCost"] for line in moved} == {"9.0"}


def test_storage_of_one_class_may_be_paid_for_in_both_units(tmp_path: Path) -> None:
    own = STORED.format(name="own", kind="object_standard") + 'usd_per_gb_month = "0.03"\n'
    listed = STORED.format(name="listed", kind="object_standard")
    lines = write_out(tmp_path, [], resources=own + listed).of(ServiceCategory="Storage")
    assert {line["PricingUnit"]: line["SkuMeter"] for line in lines} == {
        "GB-Months": "Stored GB-Months",
        "GiB-Months": "Stored GiB-Months",
    }


def test_a_class_of_storage_may_be_called_as_its_owner_likes(tmp_path: Path) -> None:
    own = STORED.format(name="own", kind="Gro\u00df") + 'usd_per_gb_month = "0.03"\n'
    [line] = write_out(tmp_path, [], resources=own).of(ServiceCategory="Storage")
    assert json.loads(line["SkuPriceDetails"]) == {"StorageClass": "Gro\u00df"}
    assert line["SkuId"].isascii()


def test_bytes_of_a_cloud_whose_machines_had_stopped_are_charged(tmp_path: Path) -> None:
    # A machine stops with Sunday; what was asked of it a moment later is Monday's.
    midnight_us = MONDAY_US - MONDAY_US % DAY_US
    boot = {"node_id": "own-9", "boot_id": "0198c0de-0000-7000-8000-000000000009"}
    stopped = node_sample(
        sampled_at_us=midnight_us, cloud="own", region="Zug", instance_type="rack", **boot
    )
    late = usage_record(arrived_at_us=midnight_us + 1, response_bytes=10**9, **boot)
    found = write_out(tmp_path, [late], [stopped])
    assert [line["BilledCost"] for line in found.of(ServiceName="own network")] == ["9.0"]
    assert found.reconciliation["requests"]["without_machine_time"] == 1
