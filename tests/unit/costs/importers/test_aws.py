"""AWS Price List: what is a machine as we price it, and what each dimension of a term means."""

import json
from fractions import Fraction
from typing import Any

import pytest

from costs import Machine
from costs.importers.aws import parse_aws
from costs.importers.found import Found, ImportFileError
from costs.prices.instance_type import format_instance_types, parse_instance_types
from costs.prices.units import GIB, PerHour, PerTerm

ATTRIBUTES = {
    "instanceType": "m7i.xlarge",
    "regionCode": "us-east-1",
    "location": "US East (N. Virginia)",
    "locationType": "AWS Region",
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "vcpu": "4",
    "memory": "16 GiB",
}


def product(family: str = "Compute Instance", **attributes: str | None) -> dict[str, Any]:
    kept = {k: v for k, v in {**ATTRIBUTES, **attributes}.items() if v is not None}
    return {"sku": "S", "productFamily": family, "attributes": kept}


def dimension(
    usd: str, unit: str = "Hrs", begin: str = "0", currency: str = "USD"
) -> dict[str, Any]:
    return {"unit": unit, "beginRange": begin, "endRange": "Inf", "pricePerUnit": {currency: usd}}


def term(*dimensions: dict[str, Any], **attributes: str) -> dict[str, Any]:
    return {
        "effectiveDate": "2026-10-01T00:00:00Z",
        "termAttributes": attributes,
        "priceDimensions": {f"S.T.{n}": d for n, d in enumerate(dimensions)},
    }


def reserved(
    upfront: str | None,
    hourly: str | None,
    payment: str,
    lease: str = "1yr",
    offering: str = "standard",
) -> dict[str, Any]:
    dimensions = []
    if upfront is not None:
        dimensions.append(dimension(upfront, "Quantity"))
    if hourly is not None:
        dimensions.append(dimension(hourly))
    return term(
        *dimensions, LeaseContractLength=lease, PurchaseOption=payment, OfferingClass=offering
    )


def parse(
    products: dict[str, Any],
    on_demand: dict[str, Any] | None = None,
    reservations: dict[str, Any] | None = None,
    **top: object,
) -> Found:
    document = {
        "formatVersion": "v1.0",
        "disclaimer": "...",
        "offerCode": "AmazonEC2",
        "version": "20261101000000",
        "publicationDate": "2026-11-01T12:00:00Z",
        "products": products,
        "terms": {"OnDemand": on_demand or {}, "Reserved": reservations or {}},
        **top,
    }
    return parse_aws(json.dumps(document).encode(), "index.json", "2026-11-20")


def test_a_price_is_a_string_and_exact() -> None:
    found = parse({"S": product()}, {"S": {"S.T": term(dimension("0.2016000000"))}})
    (price,) = found.prices
    assert price.machine == Machine("aws", "us-east-1", "m7i.xlarge", "on_demand")
    assert price.micro_usd_per_hour == 201_600
    assert (price.as_of, price.valid_from_us) == ("2026-11-01", None)
    assert price.source == "AWS Price List AmazonEC2 20261101000000"
    (described,) = found.instance_types
    assert (described.vcpus, described.memory_bytes) == (4, 16 * GIB)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (product(operatingSystem="Windows"), "operating system is not Linux"),
        (product(operatingSystem="RHEL"), "operating system is not Linux"),
        (product(tenancy="Dedicated"), "tenancy is not shared"),
        (product(tenancy="Host"), "tenancy is not shared"),
        (product(preInstalledSw="SQL Web"), "with software installed"),
        (product(capacitystatus="UnusedCapacityReservation"), "capacity is reserved, not used"),
        (product(capacitystatus="AllocatedCapacityReservation"), "capacity is reserved, not used"),
        (product(marketoption="CapacityBlock"), "sold as a capacity block"),
        (
            product(locationType="AWS Local Zone", regionCode="us-west-2-lax-1"),
            "in a local zone, wavelength zone or outpost",
        ),
        (product(family="Storage"), "product family is Storage"),
        (product(family="Dedicated Host"), "product family is Dedicated Host"),
        (product(regionCode=None), "without instance type or region code"),
        (product(instanceType=None), "without instance type or region code"),
    ],
)
def test_only_shared_linux_machines_of_a_region_are_taken(
    entry: dict[str, Any], reason: str
) -> None:
    found = parse({"S": entry}, {"S": {"S.T": term(dimension("0.5"))}})
    assert not found
    assert found.skipped == {reason: 1}


def test_what_is_paid_once_for_a_term_is_no_price_for_an_hour() -> None:
    found = parse(
        {"S": product()}, None, {"S": {"S.T": reserved("876", "0.05", "Partial Upfront")}}
    )
    (offer,) = found.commitments
    assert offer.upfront == PerTerm(Fraction(876_000_000), 1)
    assert offer.recurring == PerHour(Fraction(50_000))
    # 876 USD over 8,760 hours are 0.10 USD an hour.
    assert offer.effective == PerHour(Fraction(150_000))
    assert (offer.payment, offer.offering, offer.term_years) == ("partial_upfront", "standard", 1)
    assert not found.prices


def test_three_years_upfront_are_spread_over_three_years() -> None:
    terms = {"S.T": reserved("2628", "0.0000000000", "All Upfront", "3yr", "convertible")}
    (offer,) = parse({"S": product()}, None, {"S": terms}).commitments
    assert offer.effective == PerHour(Fraction(100_000))
    assert (offer.payment, offer.offering, offer.term_years) == ("all_upfront", "convertible", 3)


def test_reserved_without_further_words_is_a_year_without_upfront_payment() -> None:
    terms = {
        "S.1": reserved(None, "0.1270000000", "No Upfront"),
        "S.2": reserved(None, "0.14", "No Upfront", offering="convertible"),
        "S.3": reserved(None, "0.09", "No Upfront", "3yr"),
        "S.4": reserved("1000", None, "All Upfront"),
    }
    found = parse({"S": product()}, None, {"S": terms})
    assert len(found.commitments) == 4
    (price,) = found.prices
    assert (price.machine.purchase_option, price.micro_usd_per_hour) == ("reserved", 127_000)


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        (reserved("100", "0.1", "No Upfront"), "what is paid upfront contradicts the payment opt"),
        (reserved("100", "0.1", "All Upfront"), "what is paid upfront contradicts the payment opt"),
        (reserved(None, "0.1", "Partial Upfront"), "not one price by Quantity"),
        (reserved("100", None, "Partial Upfront"), "not one price by Hrs"),
        (reserved("0", "0", "Partial Upfront"), "price is zero"),
        (reserved("1", "1", "Heavy Utilization"), "term, payment or offering class is unknown"),
        (reserved(None, "1", "No Upfront", "5yr"), "term, payment or offering class is unknown"),
    ],
)
def test_a_reservation_that_makes_no_sense_is_left_out(
    offered: dict[str, Any], reason: str
) -> None:
    found = parse({"S": product()}, None, {"S": {"S.T": offered}})
    assert not found.prices
    assert not found.commitments
    ((told, count),) = found.skipped.items()
    assert told.startswith(f"reserved: {reason}")
    assert count == 1


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        (term(dimension("0.0000000000")), "price is zero"),
        (term(dimension("1.5", currency="CNY")), "no price in USD"),
        (term(dimension("one")), "price is no amount"),
        (term(dimension("1e300000")), "price is no amount"),
        (term(dimension("0.1"), dimension("0.05", begin="100")), "not one price by Hrs"),
        (term(dimension("0.1", begin="100")), "not one price by Hrs"),
        (term(dimension("0.1", unit="GB-Mo")), "unit is 'GB-Mo'"),
        (term(), "not one price by Hrs"),
    ],
)
def test_a_price_on_demand_that_makes_no_sense_is_left_out(
    offered: dict[str, Any], reason: str
) -> None:
    found = parse({"S": product()}, {"S": {"S.T": offered}})
    assert not found.prices
    assert found.skipped == {f"on demand: {reason}": 1}


def test_more_than_six_decimals_are_rounded_half_to_even_and_told() -> None:
    found = parse({"S": product()}, {"S": {"S.T": term(dimension("0.0000125"))}})
    assert found.prices[0].micro_usd_per_hour == 12
    assert found.notes == {"price of a machine rounded to whole micro-USD per hour": 1}


def test_memory_with_thousands_is_read_and_types_with_unnamed_gpus_are_not() -> None:
    products = {
        "A": product(instanceType="x2", memory="1,952 GiB", vcpu="128"),
        "B": product(instanceType="g5.xlarge", gpu="1"),
        "C": product(instanceType="odd", memory="NA"),
    }
    found = parse(products)
    assert [(t.instance_type, t.memory_bytes) for t in found.instance_types] == [("x2", 1952 * GIB)]
    assert found.skipped == {
        "instance type: the list does not name its accelerator": 1,
        "instance type: vCPUs or memory are not readable": 1,
    }


def test_memory_that_is_no_whole_number_of_bytes_can_be_written_and_read_back() -> None:
    # 0.613 GiB, as the list has of t1.micro, are 627.7 MiB.
    types = parse({"S": product(instanceType="t1.micro", memory="0.613 GiB")}).instance_types
    assert [t.memory_bytes for t in types] == [627 * 2**20]
    assert list(parse_instance_types(format_instance_types(types), "types")) == types


def test_terms_of_products_that_are_left_out_are_not_looked_at() -> None:
    found = parse(
        {"S": product(tenancy="Host")},
        {"S": {"S.T": {"priceDimensions": "broken"}}, "X": {"broken": 1}},
    )
    assert found.skipped == {"tenancy is not shared": 1}


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (b"", "index.json: Input data was truncated; accepted: the JSON offer file of AmazonEC2"),
        (b'{"offerCode": "AmazonEC2", "products": {"S"', "truncated"),
        (b"[]", "Expected `object`, got `array`"),
        (b'{"offerCode": "AmazonRDS"}', "offerCode is 'AmazonRDS'; accepted"),
        (b'{"offers": {}}', "indexes are other files"),
        (b'{"offerCode": "AmazonEC2", "products": {}}', "products or terms are missing"),
        (
            b'{"offerCode": "AWSComputeSavingsPlan", "products": [], "terms": {"savingsPlan": []}}',
            "Savings Plans and indexes are other files",
        ),
        (
            b'"FormatVersion","v1.0"\n"Disclaimer","..."\n"Publication Date","2026-11-01"\n',
            "this is its CSV variant",
        ),
        (b"\x1f\x8b\x08\x00", "accepted: the JSON offer file"),
    ],
)
def test_another_file_is_told_with_what_is_accepted(document: bytes, told: str) -> None:
    with pytest.raises(ImportFileError, match=r"^index\.json: ") as refused:
        parse_aws(document, "index.json", "2026-11-20")
    assert told in str(refused.value)
