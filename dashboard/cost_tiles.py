"""The figures that answer "what does it cost, what of it was wasted, and what was saved"."""

from fractions import Fraction

from costs import TICKS_PER_USD, Ticks
from reports.change import NOTHING_BEFORE, Change, Polarity, relative_change
from reports.costs import CostReport
from reports.formatting import count, percent, usd
from reports.tile import Detail, Tile

# A figure that is told without its change.
NO_CHANGE = Change("", "")
DOWN_IS_GOOD = Polarity.LOWER_IS_BETTER


def cost_tiles(report: CostReport) -> list[Tile]:
    """Return spend, unit cost, idle, failed and saved."""
    return [
        _spend(report),
        _per_1000(report),
        _idle(report),
        _failed(report),
        _saved(report),
    ]


def _spend(report: CostReport) -> Tile:
    total = report.total
    return Tile(
        key="cost-total",
        label="Cost of the requests" if report.sliced else "Cost",
        value=usd(_usd(total.total)),
        unit="USD",
        definition="Machine time and bytes of the filtered requests; what no request causes is "
        "left out."
        if report.sliced
        else "Everything that was paid for in the window: machines, network, storage, caches and "
        "commitments.",
        change=_change(total.total, None if report.previous is None else report.previous.total),
        trend=[_usd(parts.total) for _, parts in report.per_hour],
        details=(
            Detail("direct", f"{usd(_usd(total.direct))} USD"),
            Detail("indirect", f"{usd(_usd(total.indirect))} USD"),
        ),
    )


def _per_1000(report: CostReport) -> Tile:
    successes = report.successes
    each = report.total.total * Fraction(1000, successes) if successes else None
    direct = report.total.direct * Fraction(1000, successes) if successes else None
    return Tile(
        key="cost-per-1000",
        label="Cost per 1,000 requests",
        value=usd(None if each is None else _usd(each)),
        unit="USD",
        definition="The cost of the window divided by its successful requests, times 1,000.",
        change=_change(each, _previous_per_1000(report)),
        trend=[],
        details=(
            Detail("direct", f"{usd(None if direct is None else _usd(direct))} USD"),
            Detail("successful requests", count(successes)),
        ),
    )


def _idle(report: CostReport) -> Tile:
    total = report.total
    share = float(total.idle / Fraction(total.machine)) if total.machine else None
    before = None if report.previous is None else report.previous.idle
    return Tile(
        key="cost-idle",
        label="Idle",
        value=usd(_usd(total.idle)),
        unit="USD",
        definition="Machine time that was paid for and that no request used. Commitments: what was "
        "promised and not used, and what ran beyond it at the dearer price.",
        change=_change(total.idle, before),
        trend=[_usd(parts.idle) for _, parts in report.per_hour],
        details=(
            Detail("of machine cost", percent(share)),
            Detail("commitments", f"{usd(_usd(total.commitment))} USD"),
        ),
    )


def _failed(report: CostReport) -> Tile:
    share = float(report.failed / Fraction(report.total.direct)) if report.total.direct else None
    retries = [Detail("retries", "not looked for")]
    if report.retries is not None and report.retried is not None:
        retries = [
            Detail("retries", count(report.retries.requests)),
            Detail("cost of retries", f"{usd(_usd(report.retried))} USD"),
        ]
    return Tile(
        key="cost-failed",
        label="Failed requests",
        value=usd(_usd(report.failed)),
        unit="USD",
        definition="What requests caused that were answered with a status of 400 or above. A retry "
        "asks for the same again within a minute of a failure; up to two million records that are "
        "kept are looked through.",
        change=NO_CHANGE,
        trend=[],
        details=(Detail("of direct cost", percent(share)), *retries),
    )


def _saved(report: CostReport) -> Tile:
    saved = report.savings
    whole = saved.caches.cost + saved.coalescing.cost + saved.batching.cost
    unknown = {
        "hits without a miss": saved.caches.unknown + saved.coalescing.unknown,
        "items never alone": saved.batching.unknown,
    }
    return Tile(
        key="cost-saved",
        label="Saved, estimated",
        value=usd(_usd(whole)),
        unit="USD",
        definition="What the same requests would have cost more if each had been executed, and "
        "alone: by the mean cost of a cache miss, and the mean time of a batch of one. Where none "
        "was executed to compare with, nothing is estimated.",
        change=NO_CHANGE,
        trend=[],
        details=(
            Detail("caches", f"{usd(_usd(saved.caches.cost))} USD"),
            Detail("coalescing", f"{usd(_usd(saved.coalescing.cost))} USD"),
            Detail("batching", f"{usd(_usd(saved.batching.cost))} USD"),
            *(Detail(name, count(number)) for name, number in unknown.items() if number),
        ),
    )


def _usd(ticks: Ticks) -> float:
    return float(ticks) / TICKS_PER_USD


def _previous_per_1000(report: CostReport) -> Ticks | None:
    if report.previous is None or not report.previous_successes:
        return None
    return Fraction(report.previous.total) * 1000 / report.previous_successes


def _change(now: Ticks | None, before: Ticks | None) -> Change:
    if now is None or before is None:
        return NOTHING_BEFORE
    return relative_change(_usd(now), _usd(before), DOWN_IS_GOOD)
