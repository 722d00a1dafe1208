"""The prices of the fleet of usage_truth."""

from fractions import Fraction

from costs import Catalogue, Price, PriceBook, Resources
from costs.commitment_rules import commitment_rules
from costs.price_book import NOTHING_DECLARED
from costs.prices.override import Overrides
from costs.prices.transfer import Tier, TransferPrice
from costs.prices.units import GB
from tests.integration.usage_truth import CHANGE_US, RATES

# Micro-USD per GB that leaves a region; what comes in is free.
EGRESS = {("aws", "us-east-1"): Fraction(90_000), ("gcp", "europe-west4"): Fraction(120_000)}


def fleet_book(resources: Resources = NOTHING_DECLARED) -> PriceBook:
    """Return a book in which the price of each machine doubles at CHANGE_US."""
    prices = [
        Price(machine, micro_usd * factor, at_us, "2026-01-01", "test")
        for machine, micro_usd in RATES.items()
        for at_us, factor in ((None, 1), (CHANGE_US, 2))
    ]
    rules = Overrides(commitment_rules(resources.commitments, "resources.toml"))
    return PriceBook(
        Catalogue(prices, rules),
        transfers=[
            TransferPrice(*place, "internet", GB, (Tier(0, micro_usd),), None, "2026-01-01", "test")
            for place, micro_usd in EGRESS.items()
        ],
        resources=resources,
    )
