"""What to reserve, what to take as spot and what on demand, for a load curve: the cheapest mix.

Why it is the cheapest: the k-th reserved machine is paid for every hour, and in each hour with a
load of k or more it saves the on-demand price, or the spot price where spot would have covered
that hour's k-th machine. So what it saves never grows with k, and machines are reserved one by one
as long as the next saves more than it costs: the quantile of the load curve at which price and
saving meet. A limit on spot changes nothing in this: cost as a function of the reserved machines
is the larger of two convex functions (spot at its limit, spot below it), so convex.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from costs.checks import Number, check_number, check_whole
from costs.choice.offers import ReservedOffer, Spot, affordable

# Machines of one hour: a wrong unit gives more.
MOST_MACHINES = 1_000_000


@dataclass(frozen=True)
class Layer:
    """The k-th reserved machine: in how many hours it is needed, what it costs and saves in all."""

    number: int
    offer: ReservedOffer
    hours_needed: int
    cost: Fraction
    saving: Fraction

    @property
    def pays(self) -> bool:
        """Whether it saves more than it costs."""
        return self.saving > self.cost


@dataclass(frozen=True)
class HourMix:
    """What covers the load of one hour; of the reserved machines, those in use."""

    reserved: int
    spot: int
    on_demand: int


@dataclass(frozen=True)
class PurchaseMix:
    """The cheapest mix for a load curve; costs are exact micro-USD for all its hours.

    `reserved` has each offer taken with its number of machines. `layers` are the reserved machines
    one by one, followed by the first that does not pay. `spot_cost` is without `interruption_cost`,
    what is expected to be done again or lost. `unmet_machine_hours` is expected, too.
    """

    reserved: tuple[tuple[ReservedOffer, int], ...]
    layers: tuple[Layer, ...]
    hours: tuple[HourMix, ...]
    reserved_cost: Fraction
    on_demand_cost: Fraction
    spot_cost: Fraction
    interruption_cost: Fraction
    interruptions: Fraction
    unmet_machine_hours: Fraction
    all_on_demand_cost: Fraction

    @property
    def reserved_machines(self) -> int:
        """How many machines are reserved, whatever the offer."""
        return sum(count for _, count in self.reserved)

    @property
    def cost(self) -> Fraction:
        """All of it."""
        parts = (self.reserved_cost, self.on_demand_cost, self.spot_cost, self.interruption_cost)
        return sum(parts, Fraction(0))

    @property
    def saving(self) -> Fraction | None:
        """1 - cost / cost of buying all on demand; None where that costs nothing."""
        return 1 - self.cost / self.all_on_demand_cost if self.all_on_demand_cost else None


def cheapest_mix(
    load: Sequence[int],
    on_demand_micro_usd_per_hour: Number,
    offers: Sequence[ReservedOffer] = (),
    spot: Spot | None = None,
    most_unmet: Number = 0,
    horizon_hours: int | None = None,
) -> PurchaseMix:
    """Return the cheapest mix for `load`, the machines needed in each hour.

    The curve is taken to repeat for `horizon_hours`, which end no sooner than it does, where None
    for as long as any term: a longer term is paid to its end all the same. `most_unmet` is the part
    of the machine-hours needed that may be missing, on average, because spot machines were taken
    back. Raises ValueError for values outside their range. It takes time in proportion to hours
    plus machines.
    """
    _check(load, on_demand_micro_usd_per_hour, most_unmet)
    if horizon_hours is not None:
        check_whole("horizon_hours", horizon_hours, least=len(load))
    price = Fraction(on_demand_micro_usd_per_hour)
    highest = max(load)
    rates = affordable(offers, highest, horizon_hours)
    spot_price = price if spot is None else spot.expected_micro_usd_per_hour(price)
    caps = [0] * len(load)
    if spot is not None and spot_price < price:
        caps = [int(spot.most_share * needed) for needed in load]
    limit = _spot_limit(spot, most_unmet * sum(load), sum(caps))

    open_at, spot_at = _uncovered(load, caps)
    layers = []
    for k, (offer, rate) in enumerate(rates):
        needed = open_at[k] - open_at[k + 1]
        by_spot = min(limit, spot_at[k]) - min(limit, spot_at[k + 1])
        saved = price * needed - (price - spot_price) * by_spot
        layers.append(Layer(k + 1, offer, needed, rate * len(load), saved))
        if not layers[-1].pays:
            break
    bought = [layer for layer in layers if layer.pays]
    hours = _hours(load, caps, len(bought), limit)
    return _mix(tuple(layers), hours, price, spot)


def _mix(
    layers: tuple[Layer, ...], hours: tuple[HourMix, ...], price: Fraction, spot: Spot | None
) -> PurchaseMix:
    counts: dict[ReservedOffer, int] = {}
    for layer in layers:
        if layer.pays:
            counts[layer.offer] = counts.get(layer.offer, 0) + 1
    spot_hours = sum(hour.spot for hour in hours)
    on_demand_hours = sum(hour.on_demand for hour in hours)
    all_hours = spot_hours + on_demand_hours + sum(hour.reserved for hour in hours)
    zero = Fraction(0)
    interruptions = zero if spot is None else spot_hours * Fraction(spot.interruptions_per_hour)
    return PurchaseMix(
        reserved=tuple(counts.items()),
        layers=layers,
        hours=hours,
        reserved_cost=sum((layer.cost for layer in layers if layer.pays), zero),
        on_demand_cost=price * on_demand_hours,
        spot_cost=zero if spot is None else Fraction(spot.micro_usd_per_hour) * spot_hours,
        interruption_cost=zero if spot is None else interruptions * spot.loss_micro_usd(price),
        interruptions=interruptions,
        unmet_machine_hours=zero if spot is None else interruptions * spot.missing_hours,
        all_on_demand_cost=price * all_hours,
    )


def _spot_limit(spot: Spot | None, most_unmet_hours: Number, most: int) -> int:
    """Return how many machine-hours of spot may be used in all; `most` where nothing limits it."""
    if spot is None:
        return 0
    unmet = Fraction(spot.interruptions_per_hour) * spot.missing_hours
    return min(most, int(most_unmet_hours / unmet)) if unmet else most


def _uncovered(load: Sequence[int], caps: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return, by the number of reserved machines, the machine-hours that they do not cover, and
    how many of these spot may cover.

    One more reserved machine leaves one fewer in every hour that needs it, and takes it from spot
    where no more is left than spot may cover.
    """
    highest = max(load)
    ends, turns = [0] * (highest + 1), [0] * (highest + 1)
    for needed, cap in zip(load, caps, strict=True):
        ends[needed] += 1
        turns[needed - cap] += 1
    uncovered, coverable = [sum(load)], [sum(caps)]
    hours_above, hours_at_spot = len(load) - ends[0], turns[0] - ends[0]
    for k in range(highest):
        uncovered.append(uncovered[-1] - hours_above)
        coverable.append(coverable[-1] - hours_at_spot)
        hours_above -= ends[k + 1]
        hours_at_spot += turns[k + 1] - ends[k + 1]
    return uncovered, coverable


def _hours(
    load: Sequence[int], caps: Sequence[int], reserved: int, limit: int
) -> tuple[HourMix, ...]:
    """Return each hour's mix; where spot is limited in all, hours get their part of the limit."""
    room = [min(cap, max(0, n - reserved)) for n, cap in zip(load, caps, strict=True)]
    whole = sum(room)
    used = min(limit, whole)
    hours, before = [], 0
    for needed, most in zip(load, room, strict=True):
        covered = min(needed, reserved)
        # Rounded down up to here, less the same up to the hour before: whole, and never above most.
        spot = used * (before + most) // whole - used * before // whole if whole else 0
        before += most
        hours.append(HourMix(covered, spot, needed - covered - spot))
    return tuple(hours)


def _check(load: Sequence[int], price: Number, most_unmet: Number) -> None:
    if not load:
        raise ValueError("load is empty; accepted: the machines needed in each hour, one or more")
    for hour, needed in enumerate(load):
        check_whole(f"load of hour {hour}", needed)
        if needed > MOST_MACHINES:
            raise ValueError(f"load of hour {hour} is {needed}; accepted: at most {MOST_MACHINES}")
    check_number("on_demand_micro_usd_per_hour", price)
    check_number("most_unmet", most_unmet, most=1)
