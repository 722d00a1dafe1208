"""What providers offer beside on-demand machines: commitments for a term, and spot machines."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from costs.checks import Number, check_number, check_text, check_whole
from costs.prices.units import HOURS_PER_YEAR

# The mean month: what is chosen for holds for no month in particular.
HOURS_PER_MONTH = HOURS_PER_YEAR // 12
# Digits of a probability that is worked out from another.
PROBABILITY_DIGITS = 18


@dataclass(frozen=True)
class ReservedOffer:
    """A promise to pay for a machine throughout a term, used or not.

    `upfront_micro_usd` is for the whole term, `micro_usd_per_hour` recurs. `most` is how many one
    may or wants to buy, None for any number. Raises ValueError for values outside their range.
    """

    name: str
    term_hours: int
    upfront_micro_usd: Number
    micro_usd_per_hour: Number
    most: int | None = None

    def __post_init__(self) -> None:
        check_text("offer name", self.name)
        check_whole(f"{self.name}: term_hours", self.term_hours, least=1)
        check_number(f"{self.name}: upfront_micro_usd", self.upfront_micro_usd)
        check_number(f"{self.name}: micro_usd_per_hour", self.micro_usd_per_hour)
        if self.most is not None:
            check_whole(f"{self.name}: most", self.most)

    def effective_micro_usd_per_hour(self, horizon_hours: int | None = None) -> Fraction:
        """Return what an hour costs: all that is paid for the term, spread over the hours of use.

        These end at the horizon where that comes first: three years that are paid for a load that
        lasts one cost three times as much per hour.
        """
        term = Fraction(self.upfront_micro_usd) + self.term_hours * self.micro_usd_per_hour
        return term / min(self.term_hours, horizon_hours or self.term_hours)


@dataclass(frozen=True)
class Spot:
    """Machines that are cheap and may be taken back.

    `interruptions_per_hour` is the probability that a machine is taken back in an hour (see
    `hourly_interruption`). Then `rework_hours` of its work are done again on demand, and for
    `missing_hours` it is missing, at `missing_micro_usd_per_hour` for what that does to users.
    `most_share` is the part of the machines needed in any hour that may be spot.
    """

    micro_usd_per_hour: Number
    interruptions_per_hour: Number
    rework_hours: Number
    missing_hours: Number
    most_share: Number
    missing_micro_usd_per_hour: Number = 0

    def __post_init__(self) -> None:
        check_number("spot micro_usd_per_hour", self.micro_usd_per_hour)
        check_number("interruptions_per_hour", self.interruptions_per_hour, most=1)
        check_number("rework_hours", self.rework_hours)
        check_number("missing_hours", self.missing_hours)
        check_number("most_share", self.most_share, most=1)
        check_number("missing_micro_usd_per_hour", self.missing_micro_usd_per_hour)

    def loss_micro_usd(self, on_demand_micro_usd_per_hour: Fraction) -> Fraction:
        """Return what an interruption costs: the work done again, and what is missing meanwhile."""
        again = Fraction(self.rework_hours) * on_demand_micro_usd_per_hour
        return again + Fraction(self.missing_hours) * self.missing_micro_usd_per_hour

    def expected_micro_usd_per_hour(self, on_demand_micro_usd_per_hour: Fraction) -> Fraction:
        """Return what an hour of a spot machine costs with its interruptions, on average."""
        loss = self.loss_micro_usd(on_demand_micro_usd_per_hour)
        return Fraction(self.micro_usd_per_hour) + Fraction(self.interruptions_per_hour) * loss


def hourly_interruption(monthly: Number) -> Fraction:
    """Return the probability for an hour that gives `monthly` for a month of 730 hours.

    Providers publish the part of machines that is taken back within a month. Rounded to 18 digits:
    it is an estimate, not money. Raises ValueError unless `monthly` is from 0 to below 1.
    """
    check_number("monthly", monthly)
    if monthly >= 1:
        raise ValueError(f"monthly is {monthly}; accepted: below 1")
    context = Context(prec=2 * PROBABILITY_DIGITS)
    kept = Fraction(1) - monthly
    survival = context.divide(Decimal(kept.numerator), Decimal(kept.denominator))
    exponent = context.divide(Decimal(1), Decimal(HOURS_PER_MONTH))
    per_hour = context.subtract(Decimal(1), context.power(survival, exponent))
    return Fraction(round(Fraction(per_hour) * 10**PROBABILITY_DIGITS), 10**PROBABILITY_DIGITS)


def affordable(
    offers: Sequence[ReservedOffer], machines: int, horizon_hours: int | None
) -> list[tuple[ReservedOffer, Fraction]]:
    """Return what the first, second, ... up to the `machines`-th reserved machine is bought with.

    The cheapest hour first, the earlier one of equal ones, each up to its `most`; with its price
    per hour. Raises ValueError for two offers of one name.
    """
    names = [offer.name for offer in offers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"offer name is {name!r} twice; accepted: each once")
    priced = [(c, c.effective_micro_usd_per_hour(horizon_hours)) for c in offers]
    found: list[tuple[ReservedOffer, Fraction]] = []
    for offer, rate in sorted(priced, key=lambda pair: pair[1]):
        room = machines - len(found)
        found += [(offer, rate)] * min(room, room if offer.most is None else offer.most)
    return found
