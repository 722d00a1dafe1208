"""The SkyPilot catalogue: zones, GPUs that are not in the price, placeholders."""

import pytest

from costs.importers.found import Found, ImportFileError
from costs.importers.skypilot import parse_skypilot
from costs.prices.units import GIB

HEADER = (
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,"
    "Region,AvailabilityZone,Arch\n"
)
L4 = "\"{'Gpus': [{'Name': 'L4', 'Count': 1.0, 'MemoryInfo': {'SizeInMiB': 24576}}], 'Total': 1}\""


def parse(*rows: str, cloud: str = "aws", header: str = HEADER) -> Found:
    lines = [header, *(f"{row}\n" for row in rows)]
    return parse_skypilot(lines, "vms.csv", cloud, "2026-11-20")


def prices(found: Found) -> dict[tuple[str, str, str], int]:
    return {
        (p.machine.region, p.machine.instance_type, p.machine.purchase_option): p.micro_usd_per_hour
        for p in found.prices
    }


def test_zones_of_a_region_have_one_price_and_spot_is_that_of_the_cheapest() -> None:
    found = parse(
        "c7i.xlarge,,,4.0,8.0,,0.1785,0.0621,us-east-1,us-east-1a,x86_64",
        "c7i.xlarge,,,4.0,8.0,,0.1785,0.0557,us-east-1,us-east-1b,x86_64",
        "c7i.xlarge,,,4.0,8.0,,0.1785,,us-east-1,us-east-1c,x86_64",
    )
    assert prices(found) == {
        ("us-east-1", "c7i.xlarge", "on_demand"): 178_500,
        ("us-east-1", "c7i.xlarge", "spot"): 55_700,
    }
    assert found.skipped == {"no spot price": 1}
    assert found.prices[0].source == "SkyPilot catalogue aws/vms.csv"
    assert found.prices[0].as_of == "2026-11-20"


def test_columns_are_found_by_name_and_further_ones_do_not_matter() -> None:
    header = "Region,SpotPrice,Price,InstanceType,AvailabilityZone,vCPUs,MemoryGiB\n"
    row = "us-east-1,0.05,0.1785,c7i.xlarge,us-east-1a,4,8,ssd,True,250.0,1.0"
    found = parse(row, header=header)
    assert prices(found)["us-east-1", "c7i.xlarge", "spot"] == 50_000
    assert found.instance_types[0].vcpus == 4


@pytest.mark.parametrize("on_demand", ["", "nan", "0", "-1", "free"])
def test_a_price_may_be_missing(on_demand: str) -> None:
    found = parse(f"c7i.xlarge,,,4,8,,{on_demand},0.06,us-east-1,us-east-1a,x86_64")
    assert prices(found) == {("us-east-1", "c7i.xlarge", "spot"): 60_000}
    assert found.skipped == {"no on-demand price": 1}


@pytest.mark.parametrize(
    ("cloud", "row"),
    [
        ("gcp", "a2-highgpu-1g,A100,1,12,85,,0.73948,0.2,us-central1,us-central1-a,"),
        ("gcp", "a3-highgpu-8g,H100,8,208,1872,,9.5,2,us-central1,us-central1-a,"),
        ("gcp", "g2-standard-4,,,4,16,,0.14,0.05,us-central1,us-central1-a,"),
    ],
)
def test_a_price_without_that_of_its_gpus_is_left_out(cloud: str, row: str) -> None:
    found = parse(row, cloud=cloud)
    assert not found.prices
    assert found.skipped == {"price is without that of its GPUs": 1}


def test_another_cloud_may_have_such_names() -> None:
    assert parse("a2-big,,,4,8,,1,0.3,r,,", cloud="lambda").prices


def test_an_accelerator_alone_is_no_machine() -> None:
    found = parse(",A100,1,,,,2.933908,0.9,us-central1,us-central1-a,", cloud="gcp")
    assert found.skipped == {"price of an accelerator alone": 1}


@pytest.mark.parametrize(
    ("cloud", "region", "zone", "taken"),
    [
        ("aws", "us-west-2", "us-west-2a", True),
        ("aws", "us-west-2", "us-west-2-lax-1a", False),
        ("aws", "us-east-1", "us-east-1-wl1-bos-wlz-1", False),
        ("aws", "us-west-2-lax-1", "us-west-2-lax-1a", True),
        ("gcp", "us-central1", "us-central1-f", True),
        ("gcp", "us-central1", "us-south1-ai1b", False),
        ("azure", "eastus", "", True),
        ("azure", "eastus", "1", True),
    ],
)
def test_a_local_zone_that_is_listed_as_a_zone_is_left_out(
    cloud: str, region: str, zone: str, taken: bool
) -> None:
    found = parse(f"t,,,4,8,,1.5,0.4,{region},{zone},", cloud=cloud)
    assert bool(found.prices) is taken
    assert found.skipped == ({} if taken else {"in a local zone": 1})


def test_accelerators_that_are_counted_wrongly_are_corrected_and_told() -> None:
    row = "Standard_ND96isr_H100_v5,H100,12,96,1900,,98.32,49,eastus,,"
    found = parse(row, cloud="azure")
    (described,) = found.instance_types
    assert (described.accelerator, described.accelerator_count) == ("H100-80GB", 8)
    assert found.notes == {"Standard_ND96isr_H100_v5: 12 accelerators corrected to 8": 1}


@pytest.mark.parametrize("spot", ["26.3444", "2.63444"])
def test_a_spot_price_that_is_a_placeholder_is_left_out(spot: str) -> None:
    found = parse(f"p4d.24xlarge,A100,8,96,1152,,26.3444,{spot},ap-south-1,ap-south-1a,x86_64")
    assert prices(found) == {("ap-south-1", "p4d.24xlarge", "on_demand"): 26_344_400}
    ((reason, count),) = found.skipped.items()
    assert (reason[-13:], count) == ("a placeholder", 1)


def test_the_memory_of_an_accelerator_is_read_from_python_text_and_never_run() -> None:
    found = parse(
        f"g6.xlarge,L4,1,4,16,{L4},0.8048,0.3,us-east-1,us-east-1a,x86_64",
        "g6.2xlarge,L4,1,8,32,__import__('os').abort(),0.9776,0.4,us-east-1,us-east-1a,x86_64",
    )
    assert [t.accelerator_memory_bytes for t in found.instance_types] == [24 * GIB, None]


def test_memory_is_cut_to_whole_mebibytes_and_numbers_without_end_are_none() -> None:
    found = parse("f1,,,1,0.6,,1,0.5,r,,", "huge,,,1e30,8,,1e5000,0.5,r,,", cloud="other")
    assert [(t.instance_type, t.memory_bytes) for t in found.instance_types] == [("f1", 614 << 20)]
    assert prices(found) == {
        ("r", "f1", "on_demand"): 1_000_000,
        ("r", "f1", "spot"): 500_000,
        ("r", "huge", "spot"): 500_000,
    }


def test_zones_that_differ_on_the_on_demand_price_have_none() -> None:
    found = parse(
        "t,,,4,8,,1.5,0.4,us-east-1,us-east-1a,", "t,,,4,8,,1.6,0.5,us-east-1,us-east-1b,"
    )
    assert prices(found) == {("us-east-1", "t", "spot"): 400_000}
    assert found.skipped == {"zones of a region differ on the on-demand price": 1}


def test_a_row_that_is_cut_short_is_left_out() -> None:
    found = parse("c7i.xlarge,,,4,8", "t,,,0.5,8,,1,,us-east-1,us-east-1a,")
    assert found.skipped == {
        "row is not readable": 1,
        "instance type: vCPUs, memory or accelerators are not whole": 1,
        "no spot price": 1,
    }


@pytest.mark.parametrize("header", ["", "a,b\n", "\x00\n"])
def test_another_file_is_told_with_what_is_accepted(header: str) -> None:
    with pytest.raises(ImportFileError, match=r"vms\.csv: no column InstanceType.*accepted"):
        parse(header=header)
