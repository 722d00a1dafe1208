"""What can be trusted of a review, in words: freshness, coverage, reconciliation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from fractions import Fraction

from reports.formatting import count, instant
from reports.weekly.amount import spell_exact
from reports.weekly.headline import before_words, many
from reports.weekly.review import WeeklyReview

MOST_NAMED = 3


@dataclass(frozen=True)
class WeeklyCheck:
    """One thing that a reader has to know before the figures, and whether all is well with it."""

    key: str
    name: str
    good: bool
    text: str


def checks(review: WeeklyReview) -> list[WeeklyCheck]:
    """Return the three checks in their order."""
    return [_freshness(review), _coverage(review), _reconciliation(review)]


def minute_words(at_us: int) -> str:
    """Return an instant as its date and minute in UTC."""
    return instant(at_us, UTC).strftime("%d %b %Y, %H:%M")


def _freshness(review: WeeklyReview) -> WeeklyCheck:
    found = review.freshness
    hours = many(found.hours, "hour")
    text = f"Newest fact of {minute_words(found.newest_fact_us)}. "
    if review.now is None:
        return WeeklyCheck("freshness", "Freshness", False, f"{text}Nothing is stored of the week.")
    if not review.ended:
        text += f"The week is counted up to {minute_words(review.period.to_us)}. "
    if found.hours_missing:
        text += f"Nothing is stored of {count(found.hours_missing)} of its {hours}."
    else:
        text += f"Facts are stored of all {hours}."
    if review.before is not None and found.missing_before:
        missing = count(found.missing_before)
        text += f" Of {before_words(review)}, {missing} of as many hours are missing."
    return WeeklyCheck("freshness", "Freshness", not found.hours_missing, text)


def _coverage(review: WeeklyReview) -> WeeklyCheck:
    told = list(_left_out(review))
    complete = not told
    told = told or ["Nothing is left out"]
    old = review.coverage.old_prices
    if old:
        named = _named(
            [f"{price.machine} (as of {price.price.as_of})" for price in old if price.price]
        )
        told.append(f"Looked up more than a year before: the price of {named}")
    if review.now is not None and review.now.simulated:
        requests = review.now.simulated_requests
        told.append(f"Simulated: {many(requests, 'request') if requests else 'machines'}")
    return WeeklyCheck("coverage", "Coverage", complete and not old, ". ".join(told) + ".")


def _left_out(review: WeeklyReview) -> Iterator[str]:
    found = review.coverage
    if found.unpriced:
        machines = _named([str(machine) for machine in found.unpriced])
        yield f"No price is known, and no cost counted, for {machines}"
    if found.unpriced_bytes:
        what = _named(list(found.unpriced_bytes))
        yield f"No price is known, and no cost counted, for {what}"
    if found.missing_records:
        records = many(found.missing_records, "record")
        yield f"Missing by their numbers in runs of the week: {records}"
    if found.dropped:
        nodes = _named([node.node_id for node in found.dropped])
        yield f"Dropped by {nodes}: {many(found.dropped_facts, 'fact')}"
    if found.rejected_lines:
        lines = many(found.rejected_lines, "line")
        yield f"Rejected, since no fact could be read: {lines}"
    if found.unmeasured_requests:
        requests = many(found.unmeasured_requests, "executed request")
        yield f"Without direct cost, since no machine time is stored for them: {requests}"


def _reconciliation(review: WeeklyReview) -> WeeklyCheck:
    found = review.reconciliation
    if not found.sums:
        return WeeklyCheck("reconciliation", "Reconciliation", True, "There is no cost to add up.")
    whole = spell_exact(found.whole)
    ways = _and([f"{count(part.count)} {part.name}" for part in found.sums])
    if found.exact:
        text = f"Spend {whole} USD: the sums of {ways} equal it to the last digit."
        return WeeklyCheck("reconciliation", "Reconciliation", True, text)
    wrong = "; ".join(
        f"{part.name} add up to {spell_exact(part.total)} USD, "
        f"{spell_exact(Fraction(part.total) - found.whole)} USD off"
        for part in found.sums
        if part.total != found.whole
    )
    text = f"Spend {whole} USD does not equal the sum of its parts: {wrong}."
    return WeeklyCheck("reconciliation", "Reconciliation", False, text)


def _named(names: list[str]) -> str:
    shown, more = names[:MOST_NAMED], len(names) - MOST_NAMED
    return _and([*shown, f"{count(more)} more"] if more > 0 else shown)


def _and(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
