"""The shipped catalogue: whole, exact to the byte, and free of what its sources get wrong."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from costs import Machine, PriceBook, format_prices, parse_prices
from costs.price_folder import PRICE_FILES, parse_book
from costs.prices.commitment import format_commitments, parse_commitments
from costs.prices.instance_type import format_instance_types, parse_instance_types
from costs.prices.interruption import format_interruptions, parse_interruptions
from costs.prices.latency import format_latencies, parse_latencies
from costs.prices.storage import format_storage, parse_storage
from costs.prices.transfer import format_transfers, parse_transfers

SHIPPED = Path(__file__).parents[4] / "data/prices"
CLOUDS = ("aws", "azure", "gcp")
TOGETHER: dict[str, tuple[Callable[[str, str], Iterable[Any]], Callable[[Any], str], int]] = {
    "instances.csv": (parse_prices, format_prices, 940),
    "instance_types.csv": (parse_instance_types, format_instance_types, 50),
    "commitments.csv": (parse_commitments, format_commitments, 830),
    "transfer.csv": (parse_transfers, format_transfers, 430),
    "storage.csv": (parse_storage, format_storage, 66),
    "region_latency.csv": (parse_latencies, format_latencies, 795),
    "interruption.csv": (parse_interruptions, format_interruptions, 324),
}


@pytest.fixture(scope="module")
def book() -> PriceBook:
    paths = [SHIPPED / name for name in PRICE_FILES]
    return parse_book({path.name: path.read_text() for path in paths if path.exists()}, "shipped")


@pytest.mark.parametrize("name", TOGETHER)
def test_a_file_is_read_and_written_back_unchanged_with_a_source_for_every_row(name: str) -> None:
    parse, format_, least = TOGETHER[name]
    text = (SHIPPED / name).read_text()
    facts = list(parse(text, name))
    assert format_(facts) == text
    assert len(facts) >= least
    assert all(fact.source and fact.as_of[:4].isdigit() for fact in facts)


def test_about_ten_regions_of_each_cloud_have_machines(book: PriceBook) -> None:
    sold: dict[tuple[str, str], set[str]] = {}
    for m in book.machines.machines():
        sold.setdefault((m.cloud, m.purchase_option), set()).add(m.region)
    # What Azure's spot machines and reservations cost, no source at hand tells.
    wanted = [(cloud, "on_demand") for cloud in CLOUDS]
    wanted += [(cloud, option) for cloud in ("aws", "gcp") for option in ("spot", "reserved")]
    assert all(len(sold[kind]) >= 9 for kind in wanted)
    for cloud in ("aws", "gcp"):
        assert {o.term_years for o in book.commitments if o.cloud == cloud} == {1, 3}


def test_every_machine_has_a_type(book: PriceBook) -> None:
    lacking = {
        (m.cloud, m.instance_type)
        for m in book.machines.machines()
        if (m.cloud, m.instance_type) not in book.instance_types
    }
    assert not lacking


def test_a_reserved_machine_costs_what_its_commitment_does(book: PriceBook) -> None:
    reserved = [p for p in book.machines if p.machine.purchase_option == "reserved"]
    for price in reserved:
        m = price.machine
        offers = book.commitments_at(m.cloud, m.region, m.instance_type, 0)
        (year,) = [o for o in offers if (o.term_years, o.payment) == (1, "no_upfront")]
        assert year.effective.micro_usd == price.micro_usd_per_hour
    assert len(reserved) > 400


def test_nobody_pays_more_for_less(book: PriceBook) -> None:
    """A spot or reserved price at or above on-demand, or a tenth of it, is a placeholder."""
    known = set(book.machines.machines())
    for price in book.machines:
        m = price.machine
        listed = Machine(m.cloud, m.region, m.instance_type, "on_demand")
        if m.purchase_option != "on_demand" and listed in known:
            on_demand = book.machines.at(listed, 0).micro_usd_per_hour
            assert price.micro_usd_per_hour < on_demand, m
            assert price.micro_usd_per_hour * 10 != on_demand, m


def test_three_years_cost_less_an_hour_than_one(book: PriceBook) -> None:
    for offer in book.commitments:
        if offer.term_years == 3:
            offers = book.commitments_at(offer.cloud, offer.region, offer.instance_type, 0)
            assert all(o.effective > offer.effective for o in offers if o.term_years == 1)


def test_the_gpu_of_a_machine_is_in_its_price(book: PriceBook) -> None:
    """A catalogue in use elsewhere has 0.73948 for this one: without its GPU."""
    a2 = Machine("gcp", "us-central1", "a2-highgpu-1g", "on_demand")
    assert book.machines.at(a2, 0).micro_usd_per_hour == 3_673_385
    h100 = book.instance_types["azure", "Standard_ND96isr_H100_v5"]
    assert h100.accelerator_count == 8


def test_azure_latencies_are_95th_percentiles_and_the_others_medians(book: PriceBook) -> None:
    for found in book.latencies.values():
        known = (found.rtt_p50_us is not None, found.rtt_p95_us is not None)
        assert known == ((False, True) if found.cloud == "azure" else (True, False))


def test_every_region_with_machines_has_a_price_for_answers_to_the_internet(
    book: PriceBook,
) -> None:
    for cloud, region in {(m.cloud, m.region) for m in book.machines.machines()}:
        assert book.transfer_at(cloud, region, "internet", 0).micro_usd > 0
        assert book.transfer_at(cloud, region, "ingress", 0).micro_usd == 0
        assert book.transfer_at(cloud, region, "elsewhere", 0).to == "other_regions"
