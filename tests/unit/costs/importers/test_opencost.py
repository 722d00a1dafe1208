"""OpenCost's custom pricing: rows that price a kind of machine."""

import pytest

from costs import Machine
from costs.importers.found import Found, ImportFileError
from costs.importers.opencost import parse_opencost

HEADER = (
    "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,"
    "Version\n"
)
LABEL = "metadata.labels.node.kubernetes.io/instance-type"


def parse(*rows: str, region: str | None = None, header: str = HEADER) -> Found:
    lines = [header, *(f"{row}\n" for row in rows)]
    return parse_opencost(lines, "pricing.csv", "own", region, "2026-11-20")


@pytest.mark.parametrize(
    "row",
    [
        f",dgx-a100,berlin,node,{LABEL},dgx-a100,9.8,v1",
        f",dgx-a100,berlin,node,{LABEL},,9.8,",
        ",rack://7,berlin,node,spec.providerID,dgx-a100,9.80,v1",
        ",node-7,berlin,Node,metadata.name,dgx-a100,9.8,v1",
    ],
)
def test_a_node_with_a_type_is_a_machine(row: str) -> None:
    (price,) = parse(row).prices
    assert price.machine == Machine("own", "berlin", "dgx-a100", "on_demand")
    assert (price.micro_usd_per_hour, price.as_of) == (9_800_000, "2026-11-20")
    assert price.source == "OpenCost custom pricing"


def test_a_row_is_as_old_as_it_says() -> None:
    row = f"2019-04-17 23:34:22 UTC,t,berlin,node,{LABEL},t,1,v1"
    assert parse(row).prices[0].as_of == "2019-04-17"


def test_a_row_without_a_region_has_the_one_that_is_given() -> None:
    row = f",t,,node,{LABEL},t,1,v1"
    assert parse(row, region="berlin").prices[0].machine.region == "berlin"
    assert parse(row).skipped == {"without region": 1}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",gke-pool-1,,node,metadata.name,,0.1337,", "price of one node: it says no instance type"),
        (",csi-rbd,,pv,spec.storageClassName,,0.0000652055,v1", "price of a volume"),
        (
            ",Quadro_RTX_4000,,gpu,nvidia.com/gpu_type,,0.75,",
            "price of a GPU: it stands beside that of its node",
        ),
        (f",t,b,lb,{LABEL},t,1,v1", "asset class is unknown"),
        (f",t,b,node,{LABEL},t,0,v1", "price is no amount above zero"),
        (f",t,b,node,{LABEL},t,-1,v1", "price is no amount above zero"),
        (f",t,b,node,{LABEL},t,,v1", "price is no amount above zero"),
        (",t,b,node", "row is not readable"),
    ],
)
def test_what_prices_no_kind_of_machine_is_left_out(row: str, reason: str) -> None:
    found = parse(row)
    assert not found
    assert found.skipped == {reason: 1}


def test_the_json_of_opencost_is_another_file() -> None:
    with pytest.raises(ImportFileError, match=r"no column InstanceID.*accepted: custom pricing"):
        parse(header='{"CPU": "0.031611", "RAM": "0.004237"}\n')
