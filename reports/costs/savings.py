"""What caches, coalescing and batching saved, beside what the same requests would have cost."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction

from costs import Ticks, direct_cost
from reports.pricing import Pricing
from store import By, Filter, Period, Reader, read_batch_savings, read_breakdown
from usage.record import ON_BEHALF

VERSION = (By.MODEL, By.MODEL_VERSION)
CACHES = ("memory", "disk", "redis")
COALESCED = "coalesced"


@dataclass(frozen=True)
class Saving:
    """An estimate: what `requests` of a model did not cost, in ticks.

    `unknown` of them are in no sum, since nothing comparable was executed in the period.
    """

    requests: int
    cost: Ticks
    unknown: int

    def __add__(self, other: "Saving") -> "Saving":
        return Saving(
            self.requests + other.requests, self.cost + other.cost, self.unknown + other.unknown
        )


NOTHING = Saving(0, Fraction(0), 0)


@dataclass(frozen=True)
class Savings:
    """By what saved it. `cached_by_model` are the two of caches together.

    A cache hit is taken to cost what an executed miss of the same version did on average (what was
    executed on behalf of requests left out), an item of a batch what one alone did, at the price
    that its version's worker time had on average.
    `batching` counts items instead of requests.
    """

    caches: Saving
    coalescing: Saving
    batching: Saving
    cached_by_model: tuple[tuple[str | None, Ticks], ...]


def read_savings(connection: Reader, period: Period, pricing: Pricing, where: Filter) -> Savings:
    """Return what was saved in `period`, of the requests that `where` accepts."""
    by_outcome = _by_outcome(connection, period, pricing, where)
    caches = coalescing = NOTHING
    by_model: dict[str | None, Ticks] = defaultdict(Fraction)
    for (model, _), outcomes in by_outcome.items():
        executed = sum(outcomes[name].executed for name in ("miss", "bypass"))
        cost = sum((outcomes[name].cost for name in ("miss", "bypass")), Fraction(0))
        each = Fraction(cost) / executed if executed else None
        hits = sum(outcomes[name].requests for name in CACHES)
        shared = outcomes[COALESCED].requests
        caches += _saving(hits, each)
        coalescing += _saving(shared, each)
        by_model[model] += (hits + shared) * (each or Fraction(0))
    return Savings(
        caches,
        coalescing,
        _batching(connection, period, pricing, where),
        tuple(sorted(by_model.items(), key=lambda item: -item[1])),
    )


@dataclass
class _Outcome:
    requests: int = 0
    executed: int = 0
    cost: Ticks = Fraction(0)


def _by_outcome(
    connection: Reader, period: Period, pricing: Pricing, where: Filter
) -> dict[tuple[str | None, ...], dict[str, _Outcome]]:
    found: dict[tuple[str | None, ...], dict[str, _Outcome]] = {}
    for part in read_breakdown(
        connection,
        period,
        (*VERSION, By.CACHE, By.STATUS, By.ROUTE),
        pricing.catalogue.changes(),
        where=where,
        latency=False,
    ):
        *version, cache, status, route = part.key
        if int(status or 0) >= 400 or route in ON_BEHALF:
            continue
        outcomes = found.setdefault(tuple(version), defaultdict(_Outcome))
        outcome = outcomes[cache or ""]
        outcome.requests += part.totals.requests
        outcome.executed += part.totals.executed - part.unmeasured
        outcome.cost += direct_cost(part.busy, pricing.rate)
    return found


def _saving(requests: int, each: Ticks | None) -> Saving:
    if each is None:
        return Saving(requests, Fraction(0), requests)
    return Saving(requests, requests * each, 0)


def _batching(connection: Reader, period: Period, pricing: Pricing, where: Filter) -> Saving:
    priced: dict[tuple[str | None, ...], tuple[Ticks, Fraction]] = {}
    for part in read_breakdown(
        connection,
        period,
        (*VERSION, By.INSTANCE_TYPE),
        pricing.catalogue.changes(),
        where=where,
        latency=False,
    ):
        worker_us = sum((Fraction(t.item_us, t.batch_size) for t in part.busy), Fraction(0))
        priced[part.key] = direct_cost(part.busy, pricing.rate), worker_us
    saved = NOTHING
    for each in read_batch_savings(connection, period, where=where):
        cost, worker_us = priced.get(
            (each.model, each.model_version, each.instance_type), (Fraction(0), Fraction(0))
        )
        together = each.items - each.alone_items
        if each.saved_worker_us is None or not worker_us:
            saved += Saving(together, Fraction(0), together)
        else:
            saved += Saving(together, each.saved_worker_us * cost / worker_us, 0)
    return saved
