"""Which region of a set serves whom: the nearest that is allowed to."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from costs.choice.demand import LatencyBound, RegionQuestion
from costs.choice.shortfall import Shortfall


@dataclass(frozen=True)
class Routing:
    """The region that serves each client region, and each region's share of all requests.

    `unknown` are client regions whose round trip to all regions that may serve them is unknown:
    they stay in their own where it serves, and else go where most others go. `within_share` is the
    part of the requests that is known to be within the bound, None without one. `shortfalls` names
    whom no region may serve, and a bound that is not kept.
    """

    serves: Mapping[str, str]
    share_of: Mapping[str, Fraction]
    unknown: tuple[str, ...]
    within_share: Fraction | None
    shortfalls: tuple[Shortfall, ...]


def route(
    question: RegionQuestion, shares: Mapping[str, Fraction], regions: tuple[str, ...]
) -> Routing:
    """Return who serves whom where `regions` serve all; `shares` are those of the question.

    Of equally near regions their own one serves, else the first.
    """
    serves: dict[str, str] = {}
    share_of = dict.fromkeys(regions, Fraction(0))
    unknown: dict[str, list[str]] = {}
    shortfalls = []
    for users in question.users:
        client = users.region
        if client not in shares:
            continue
        may = [r for r in regions if users.allowed is None or r in users.allowed]
        far = {r: us for r in may if (us := question.latency_us(client, r)) is not None}
        if not may:
            accepted = " or ".join(sorted(users.allowed or ())) or "none"
            name = f"region for users in {client}"
            shortfalls.append(Shortfall(name, ", ".join(regions), accepted))
        elif far:
            serves[client] = min(far, key=lambda r: (far[r], r != client))
            share_of[serves[client]] += shares[client]
        else:
            unknown[client] = [client] if client in may else may
    known = dict(share_of)
    for client, may in unknown.items():
        serves[client] = max(may, key=known.__getitem__)
        share_of[serves[client]] += shares[client]
    within = None
    if question.bound is not None:
        within = _within(question, question.bound, shares, serves)
        if within < question.bound.share:
            lost = {client: shares[client] for client in unknown}
            shortfalls.append(_too_far(question.bound, within, lost))
    return Routing(serves, share_of, tuple(unknown), within, tuple(shortfalls))


def _within(
    question: RegionQuestion,
    bound: LatencyBound,
    shares: Mapping[str, Fraction],
    serves: Mapping[str, str],
) -> Fraction:
    found = Fraction(0)
    for client, region in serves.items():
        latency_us = question.latency_us(client, region)
        if latency_us is not None and latency_us <= bound.within_us:
            found += shares[client]
    return found


def _too_far(bound: LatencyBound, within: Fraction, lost: Mapping[str, Fraction]) -> Shortfall:
    required = f"{float(bound.share):.4g} or more"
    if lost:
        part = float(sum(lost.values(), Fraction(0)))
        required += f" (latency unknown for {part:.4g}: {', '.join(lost)})"
    name = f"share of requests within {bound.within_us} us at {bound.statistic}"
    return Shortfall(name, within, required)
