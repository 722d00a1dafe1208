"""The sentence at the top of the review: what the week cost, why, and whether promises were kept.

It says no number but those of the review, spelled as everywhere else in it.
"""

from reports.change import DOWN, LEVEL, UP, Polarity, relative_change
from reports.figures import Figures
from reports.formatting import count, duration_ms
from reports.weekly.amount import spell_ticks, spell_usd, ticks_usd
from reports.weekly.bridge_amounts import bridge_amounts
from reports.weekly.review import MonthEnd, WeeklyReview
from store import DAY_US, HOUR_US, MINUTE_US

FROM_ZERO = "from zero"


def headline(review: WeeklyReview) -> str:
    """Return the headline of `review`: one sentence, its parts divided by semicolons."""
    if review.now is None:
        return f"Nothing is recorded of {week_words(review)}."
    parts = [_spend(review), _latency(review, review.now.figures)]
    month_end = None if review.month_end is None else month_end_words(review.month_end)
    if month_end is not None and review.spend is not None:
        parts.append(month_end)
    return "; ".join(parts) + "."


def week_words(review: WeeklyReview) -> str:
    """Return what the week is called within a sentence."""
    return f"week {review.week.number} of {review.week.year}"


def length_words(length_us: int) -> str:
    """Return a length in days and hours, in minutes where it is below an hour."""
    days, rest_us = divmod(length_us, DAY_US)
    hours = rest_us // HOUR_US
    if not days and not hours:
        return many(length_us // MINUTE_US, "minute")
    return " ".join(
        many(number, unit) for number, unit in ((days, "day"), (hours, "hour")) if number
    )


def month_end_words(found: MonthEnd) -> str | None:
    """Return the part of the sentence that holds the forecast against the budget.

    None where there is no forecast.
    """
    if found.forecast_usd is None:
        return None
    forecast, budget = spell_usd(found.forecast_usd), spell_usd(found.budget_usd)
    verb = "ended" if found.over else "is forecast to end"
    words = f"{found.month:%B} {verb} at {forecast} USD"
    if found.budget_usd is None:
        return f"{words}, with no budget set"
    if forecast == budget:
        return f"{words}, on its budget of {budget} USD"
    difference = found.forecast_usd - found.budget_usd
    side = "over" if difference > 0 else "under"
    return f"{words}, {spell_usd(abs(difference))} USD {side} its budget of {budget} USD"


def many(number: int, thing: str, things: str = "") -> str:
    """Return a number of things, in the singular for one."""
    return f"{count(number)} {thing if number == 1 else things or f'{thing}s'}"


def _spend(review: WeeklyReview) -> str:
    week = week_words(review).capitalize()
    if review.spend is None:
        why = "no price is known for its machines"
        if not review.coverage.unpriced:
            why = "nothing that costs is recorded"
        return f"The spend of {week_words(review)} is unknown: {why}"
    cost = f"{week} cost {spell_ticks(review.spend)} USD"
    if not review.ended:
        counted = length_words(review.period.length_us)
        cost = f"{week} has cost {spell_ticks(review.spend)} USD in its first {counted}"
    return f"{cost}{_change(review)}{_left_out(review)}"


def _change(review: WeeklyReview) -> str:
    before = "the week before" if review.ended else "the same part of the week before"
    if review.spend is None or review.spend_before is None:
        return f", with no record of {before} to compare with"
    change = relative_change(
        ticks_usd(review.spend), ticks_usd(review.spend_before), Polarity.LOWER_IS_BETTER
    )
    if change.arrow == LEVEL:
        return f", as much as {before}"
    if change.amount == FROM_ZERO:
        return f", after nothing in {before}"
    words = {UP: "more than", DOWN: "less than"}[change.arrow]
    amount = change.amount
    if amount.startswith("x"):
        amount, words = f"{amount.removeprefix('x')} times", "as much as"
    return f", {amount} {words} {before}{_driver(review)}"


def _driver(review: WeeklyReview) -> str:
    if review.bridge is None or review.bridge.largest is None:
        return ""
    largest = review.bridge.largest
    _, changes, _ = bridge_amounts(review.bridge)
    return f", led by {largest.name} ({changes[largest]} USD)"


def _left_out(review: WeeklyReview) -> str:
    """Return what the spend lacks, or has and was made up."""
    words = ""
    missing, unpriced = review.freshness.hours_missing, len(review.coverage.unpriced)
    simulated = review.coverage.simulated_requests
    if missing:
        words += f", with {count(missing)} of its {many(review.freshness.hours, 'hour')} missing"
    if unpriced:
        kinds = many(unpriced, "kind of machine", "kinds of machines")
        words += f", without {kinds} of unknown price"
    if simulated:
        words += f", {many(simulated, 'simulated request')} included"
    return words


def _latency(review: WeeklyReview, now: Figures) -> str:
    if now.p99_ms is None:
        return "no request succeeded" if now.requests else "no request came"
    value, unit = duration_ms(now.p99_ms)
    verdict = "met" if review.p99_met else "missed"
    return f"p99 latency of {value} {unit} {verdict} its target of {review.p99_target_ms:g} ms"
