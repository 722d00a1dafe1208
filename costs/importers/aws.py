"""AWS Price List, the bulk offer file of AmazonEC2 as JSON: one region's, or that of all regions.

    {"formatVersion", "offerCode", "version", "publicationDate",
     "products": {sku: {"productFamily", "attributes": {...}}},
     "terms": {"OnDemand" | "Reserved": {sku: {code: {"termAttributes", "priceDimensions": {
         code: {"unit", "beginRange", "pricePerUnit": {"USD": "0.192"}}}}}}}}

Files have gigabytes, so nothing is decoded but what is kept: products and terms stay slices of the
file until their turn, and what needs memory is an index of them by SKU.
Source: AWS Billing user guide, "Reading the service price list file".
"""

from collections.abc import Iterator
from fractions import Fraction

import msgspec
from msgspec import Raw, Struct, field

from costs.importers.found import Found, ImportFileError, Origin
from costs.price import Machine
from costs.prices.commitment import CommitmentOffer
from costs.prices.instance_type import InstanceType, whole_mebibytes
from costs.prices.units import PerHour, PerTerm, exact, micro_usd

CLOUD = "aws"
OFFER = "AmazonEC2"
ACCEPTED = f"the JSON offer file of {OFFER} in the AWS Price List"
FAMILIES = ("Compute Instance", "Compute Instance (bare metal)")
# What an attribute must say where it is there, and what an entry with another value is.
WANTED = {
    "location_type": ("AWS Region", "in a local zone, wavelength zone or outpost"),
    "operating_system": ("Linux", "operating system is not Linux"),
    "tenancy": ("Shared", "tenancy is not shared"),
    "software": ("NA", "with software installed"),
    "capacity_status": ("Used", "capacity is reserved, not used"),
    "market_option": ("OnDemand", "sold as a capacity block"),
}
YEARS = {"1yr": 1, "1 yr": 1, "3yr": 3, "3 yr": 3}
PAYMENTS = {
    "No Upfront": "no_upfront",
    "Partial Upfront": "partial_upfront",
    "All Upfront": "all_upfront",
}
OFFERINGS = ("standard", "convertible")
HOURS, ONCE = "Hrs", "Quantity"

NOTHING = Raw(b"{}")

Document = bytes | memoryview


class _Terms(Struct):
    on_demand: Raw = field(name="OnDemand", default=NOTHING)
    reserved: Raw = field(name="Reserved", default=NOTHING)


class _Offer(Struct):
    offer_code: str = field(name="offerCode", default="")
    version: str = ""
    published: str = field(name="publicationDate", default="")
    products: Raw = NOTHING
    terms: _Terms | None = None


class _Attributes(Struct):
    instance_type: str = field(name="instanceType", default="")
    region: str = field(name="regionCode", default="")
    location_type: str | None = field(name="locationType", default=None)
    operating_system: str = field(name="operatingSystem", default="")
    tenancy: str = ""
    software: str = field(name="preInstalledSw", default="")
    capacity_status: str = field(name="capacitystatus", default="")
    market_option: str | None = field(name="marketoption", default=None)
    vcpu: str = ""
    memory: str = ""
    gpu: str = ""


class _Product(Struct):
    family: str = field(name="productFamily", default="")
    attributes: _Attributes = field(default_factory=_Attributes)


class _Dimension(Struct):
    unit: str = ""
    begin: str = field(name="beginRange", default="0")
    price: dict[str, str] = field(name="pricePerUnit", default_factory=dict)


class _TermAttributes(Struct):
    lease: str = field(name="LeaseContractLength", default="")
    payment: str = field(name="PurchaseOption", default="")
    offering: str = field(name="OfferingClass", default="")


class _Term(Struct):
    attributes: _TermAttributes = field(name="termAttributes", default_factory=_TermAttributes)
    dimensions: dict[str, _Dimension] = field(name="priceDimensions", default_factory=dict)


class _UnpricedError(ValueError):
    """Why a term has no price for us."""


def parse_aws(document: Document, name: str, as_of: str) -> Found:
    """Return the Linux machines in `document`, on demand and reserved; `name` is the file's name.

    A machine is `reserved` at its standard reservation for a year without upfront payment.
    `as_of` is the day of a file that says of none. Raises ImportFileError.
    """
    try:
        return _parse(document, name, as_of)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ImportFileError(f"{name}: {error}; accepted: {ACCEPTED}{_hint(document)}") from error


def _parse(document: Document, name: str, as_of: str) -> Found:
    offer = msgspec.json.decode(document, type=_Offer)
    if offer.offer_code != OFFER:
        raise ImportFileError(
            f"{name}: offerCode is {offer.offer_code!r}; accepted: {ACCEPTED} (Savings Plans and "
            "indexes are other files)"
        )
    if offer.products is NOTHING or offer.terms is None:
        raise ImportFileError(f"{name}: products or terms are missing; accepted: {ACCEPTED}")
    found = Found()
    source = f"AWS Price List {OFFER} {offer.version}".strip()
    origin = Origin(source, offer.published[:10] or as_of)
    machines = dict(_machines(offer.products, found, origin))
    for sku, term in _terms_of(offer.terms.on_demand, machines):
        place, instance_type = machines[sku]
        machine = Machine(CLOUD, place, instance_type, "on_demand")
        try:
            found.add_price(machine, _hourly(term), None, origin)
        except _UnpricedError as error:
            found.skip(f"on demand: {error}")
    for sku, term in _terms_of(offer.terms.reserved, machines):
        try:
            offered = _commitment(*machines[sku], term, found, origin)
        except _UnpricedError as error:
            found.skip(f"reserved: {error}")
            continue
        found.commitments.append(offered)
        if (offered.offering, offered.term_years, offered.payment) == ("standard", 1, "no_upfront"):
            machine = Machine(CLOUD, offered.region, offered.instance_type, "reserved")
            found.add_price(machine, offered.effective, None, origin)
    return found


def _machines(products: Raw, found: Found, origin: Origin) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield (SKU, (region, instance type)) of the products that are machines as we price them."""
    decoder = msgspec.json.Decoder(_Product)
    described: set[str] = set()
    for sku, raw in msgspec.json.decode(products, type=dict[str, Raw]).items():
        product = decoder.decode(raw)
        attributes = product.attributes
        reason = _unwanted(product)
        if reason is not None:
            found.skip(reason)
            continue
        if attributes.instance_type not in described:
            described.add(attributes.instance_type)
            _describe(attributes, found, origin)
        yield sku, (attributes.region, attributes.instance_type)


def _unwanted(product: _Product) -> str | None:
    if product.family not in FAMILIES:
        return f"product family is {product.family or 'not stated'}"
    for attribute, (wanted, reason) in WANTED.items():
        if getattr(product.attributes, attribute) not in (wanted, None):
            return reason
    if not product.attributes.instance_type or not product.attributes.region:
        return "without instance type or region code"
    return None


def _describe(attributes: _Attributes, found: Found, origin: Origin) -> None:
    """Keep what a type has. The list says how many GPUs, and not which: those are left out."""
    if attributes.gpu not in ("", "0", "NA"):
        found.skip("instance type: the list does not name its accelerator")
        return
    # "1,952 GiB"
    amount, _, unit = attributes.memory.replace(",", "").partition(" ")
    try:
        vcpus, memory_bytes = exact(attributes.vcpu), whole_mebibytes(exact(amount))
    except ValueError:
        vcpus, memory_bytes = Fraction(0), 0
    if unit != "GiB" or vcpus < 1 or vcpus.denominator != 1 or not memory_bytes:
        found.skip("instance type: vCPUs or memory are not readable")
        return
    found.instance_types.append(
        InstanceType(
            CLOUD,
            attributes.instance_type,
            int(vcpus),
            memory_bytes,
            None,
            0,
            None,
            origin.as_of,
            origin.source,
        )
    )


def _terms_of(terms: Raw, machines: dict[str, tuple[str, str]]) -> Iterator[tuple[str, _Term]]:
    decoder = msgspec.json.Decoder(dict[str, _Term])
    for sku, raw in msgspec.json.decode(terms, type=dict[str, Raw]).items():
        if sku in machines:
            yield from ((sku, term) for term in decoder.decode(raw).values())


def _hourly(term: _Term) -> PerHour:
    price = PerHour(_amount(term, HOURS))
    if not price.micro_usd:
        raise _UnpricedError("price is zero")
    return price


def _commitment(
    region: str, instance_type: str, term: _Term, found: Found, origin: Origin
) -> CommitmentOffer:
    attributes = term.attributes
    years = YEARS.get(attributes.lease)
    payment = PAYMENTS.get(attributes.payment)
    if years is None or payment is None or attributes.offering not in OFFERINGS:
        raise _UnpricedError("term, payment or offering class is unknown")
    upfront = PerTerm(found.writable(_amount(term, ONCE, needed=payment != "no_upfront")), years)
    recurring = PerHour(found.writable(_amount(term, HOURS, needed=payment != "all_upfront")))
    if not upfront.micro_usd and not recurring.micro_usd:
        raise _UnpricedError("price is zero")
    if (payment == "no_upfront" and upfront.micro_usd) or (
        payment == "all_upfront" and recurring.micro_usd
    ):
        raise _UnpricedError("what is paid upfront contradicts the payment option")
    return CommitmentOffer(
        cloud=CLOUD,
        region=region,
        instance_type=instance_type,
        offering=attributes.offering,
        payment=payment,
        upfront=upfront,
        recurring=recurring,
        valid_from_us=None,
        as_of=origin.as_of,
        source=origin.source,
    )


def _amount(term: _Term, unit: str, *, needed: bool = True) -> Fraction:
    """Return what `term` costs by `unit`, in micro-USD: by the hour, or once for the term."""
    unknown = {d.unit for d in term.dimensions.values()} - {HOURS, ONCE}
    if unknown:
        raise _UnpricedError(f"unit is {min(unknown)!r}")
    found = [d for d in term.dimensions.values() if d.unit == unit]
    if not found and not needed:
        return Fraction(0)
    if len(found) != 1 or found[0].begin != "0":
        raise _UnpricedError(f"not one price by {unit}")
    if "USD" not in found[0].price:
        raise _UnpricedError("no price in USD")
    try:
        amount = micro_usd(found[0].price["USD"])
    except ValueError:
        raise _UnpricedError("price is no amount") from None
    return amount


def _hint(document: Document) -> str:
    return "; this is its CSV variant" if bytes(document[:15]) == b'"FormatVersion"' else ""
