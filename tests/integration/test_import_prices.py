"""`python -m costs import` on files, into a folder of prices."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from costs import Machine
from reports import load_price_book

ROOT = Path(__file__).parents[2]
IMPORT = (sys.executable, "-m", "costs", "import")
NOW_US = 1_800_000_000_000_000
HEADER = "InstanceType,vCPUs,MemoryGiB,Price,SpotPrice,Region,AvailabilityZone\n"


def run(folder: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [*IMPORT, *map(str, arguments), "--out", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "data/prices", tmp_path / "prices"))


@pytest.fixture
def vms(tmp_path: Path) -> Path:
    path = tmp_path / "vms.csv"
    path.write_text(
        HEADER
        + "c7i.xlarge,4,8,0.1785,0.05,us-east-1,us-east-1a\n"
        + "c7i.2xlarge,8,16,0.3,0.1,us-east-1,us-east-1a\n"
        + "c9i.xlarge,4,8,0.2,0.07,us-east-1,us-east-1a\n"
        + "c9i.xlarge,4,8,0.2,0.2,us-east-1,us-east-1b\n"
    )
    return path


def test_a_list_is_merged_told_and_idempotent(folder: Path, vms: Path) -> None:
    instances = folder / "instances.csv"
    instances.write_text("# ours\n" + instances.read_text())
    before = instances.read_text().splitlines()
    arguments = ("skypilot", vms, "--cloud", "aws", "--as-of", "2026-11-20")

    planned = run(folder, *arguments, "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert instances.read_text().splitlines() == before

    first = run(folder, *arguments)
    assert first.stdout == planned.stdout
    assert "        3  added\n" in first.stdout
    assert "2  changed: a new row with valid_from beside the one before" in first.stdout
    assert "1  confirmed: as_of renewed" in first.stdout
    assert "1  spot price equals on-demand or a tenth of it: a placeholder" in first.stdout

    after = instances.read_text().splitlines()
    assert after[0] == "# ours"
    # Only the date of the confirmed price is another: everything else still stands there.
    assert len(set(before) - set(after)) == 1
    assert len(after) == len(before) + 5
    book = load_price_book(folder)
    machine = Machine("aws", "us-east-1", "c7i.2xlarge", "on_demand")
    found = book.machines.at(machine, NOW_US)
    assert (found.micro_usd_per_hour, found.as_of) == (300_000, "2026-11-20")
    assert book.machines.at(machine, 0).micro_usd_per_hour == 357_000
    assert book.instance_types["aws", "c9i.xlarge"].vcpus == 4

    second = run(folder, *arguments)
    assert second.returncode == 0
    assert instances.read_text().splitlines() == after
    assert "6  already there" in second.stdout
    assert not list(folder.glob(".*"))


def test_pages_of_azure_fill_an_empty_folder(tmp_path: Path) -> None:
    item = {
        "currencyCode": "USD",
        "retailPrice": 876.0,
        "armRegionName": "westeurope",
        "armSkuName": "Standard_D4s_v5",
        "effectiveStartDate": "2026-08-01T00:00:00Z",
        "productName": "Virtual Machines Dsv5 Series",
        "serviceName": "Virtual Machines",
        "unitOfMeasure": "1 Hour",
        "type": "Reservation",
        "reservationTerm": "1 Year",
    }
    pages = []
    for number, term in enumerate(("1 Year", "3 Years")):
        page = {"Items": [{**item, "reservationTerm": term}], "NextPageLink": "https://next"}
        pages.append(tmp_path / f"page-{number}.json")
        pages[-1].write_text(json.dumps(page))
    folder = tmp_path / "new"
    finished = run(folder, "azure", *pages, "--as-of", "2026-11-20")
    assert finished.returncode == 0, finished.stderr
    assert "2  pages that name a next one" in finished.stdout
    book = load_price_book(folder)
    machine = Machine("azure", "westeurope", "Standard_D4s_v5", "reserved")
    assert book.machines.at(machine, NOW_US).micro_usd_per_hour == 100_000
    offers = book.commitments_at("azure", "westeurope", "Standard_D4s_v5", NOW_US)
    assert [offer.term_years for offer in offers] == [3, 1]


def test_a_list_of_aws_is_narrowed_to_what_is_asked_for(tmp_path: Path) -> None:
    def product(instance_type: str) -> dict[str, object]:
        attributes = {
            "instanceType": instance_type,
            "regionCode": "us-east-1",
            "operatingSystem": "Linux",
            "tenancy": "Shared",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
            "vcpu": "4",
            "memory": "16 GiB",
        }
        return {"productFamily": "Compute Instance", "attributes": attributes}

    dimension = {"unit": "Hrs", "beginRange": "0", "pricePerUnit": {"USD": "0.2016"}}
    offer = {
        "offerCode": "AmazonEC2",
        "publicationDate": "2026-11-01T00:00:00Z",
        "products": {"A": product("m7i.xlarge"), "B": product("t3.micro")},
        "terms": {"OnDemand": {s: {"t": {"priceDimensions": {"d": dimension}}} for s in "AB"}},
    }
    path = tmp_path / "index.json"
    path.write_text(json.dumps(offer))
    finished = run(tmp_path / "new", "aws", path, "--instance-type", "m7i.*", "--region", "us-*")
    assert finished.returncode == 0, finished.stderr
    # The price of the other machine, and its description.
    assert "2  not asked for" in finished.stdout
    found = load_price_book(tmp_path / "new").machines
    assert [m.instance_type for m in found.machines()] == ["m7i.xlarge"]


def test_an_import_waits_for_another_one_and_keeps_what_that_wrote(folder: Path, vms: Path) -> None:
    command = [*IMPORT, "skypilot", str(vms), "--cloud", "AWS", "--out", str(folder)]
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while not re.search(rf"-> FLOCK .* {process.pid} ", Path("/proc/locks").read_text()):
            assert process.poll() is None
        with (folder / "instances.csv").open("a", encoding="utf-8") as file:
            file.write("own,berlin,dgx,on_demand,9.8,,2026-11-20,the other one\n")
        os.close(held)
        assert process.wait() == 0
    prices = load_price_book(folder).machines
    assert Machine("own", "berlin", "dgx", "on_demand") in prices.machines()
    assert Machine("aws", "us-east-1", "c9i.xlarge", "spot") in prices.machines()


def test_what_cannot_be_asked_for_is_told(folder: Path, vms: Path) -> None:
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for more, told in (
        (("--as-of", "2099-01-01"), "'2099-01-01'; accepted: a day until"),
        (("--as-of", "soon"), "'soon'; accepted: a day until"),
        (("--region", "nowhere"), "no price was found"),
        (("--cloud", "#aws"), "'#aws'; accepted: a name"),
    ):
        finished = run(folder, "skypilot", vms, "--cloud", "aws", *more)
        assert finished.returncode > 0
        assert told in finished.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("aws", "missing.json"), "missing.json: No such file or directory"),
        (("aws", "empty"), "empty: Input data was truncated; accepted: the JSON offer file"),
        (("azure", "vms.csv"), "accepted: a page of the Azure Retail Prices API"),
        (("skypilot", "latin.csv", "--cloud", "aws"), "accepted: CSV in UTF-8"),
        (("opencost", "vms.csv"), "no column InstanceID"),
    ],
)
def test_a_wrong_file_is_told_and_nothing_is_written(
    tmp_path: Path, vms: Path, arguments: tuple[str, ...], told: str
) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "latin.csv").write_bytes(f"{HEADER}f\xe9e,4,8,1,1,r,\n".encode("latin-1"))
    format_, file, *rest = arguments
    finished = run(tmp_path / "new", format_, tmp_path / file, *rest)
    assert finished.returncode == 1
    assert told in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "new").exists()


def test_a_catalogue_that_cannot_be_read_is_left_as_it_is(folder: Path, vms: Path) -> None:
    (folder / "commitments.csv").write_text("broken\n")
    before = (folder / "instances.csv").read_bytes()
    finished = run(folder, "skypilot", vms, "--cloud", "aws")
    assert finished.returncode == 1
    assert "commitments.csv: header must be" in finished.stderr
    assert "added" not in finished.stdout
    assert (folder / "instances.csv").read_bytes() == before


def test_a_file_without_a_price_is_told_by_the_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "vms.csv"
    path.write_text(HEADER)
    finished = run(tmp_path / "new", "skypilot", path, "--cloud", "aws")
    assert finished.returncode == 1
    assert "no price was found" in finished.stderr
