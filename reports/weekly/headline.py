"""The sentence at the top of the review: what the week cost, why, and whether promises were kept.

It says no number but those of the review, spelled as everywhere else in it.
"""

from reports.change import DOWN, LEVEL, UP, Polarity, relative_change
from reports.figures import Figures
from reports.formatting import count, duration_ms, usd
from reports.weekly.amount import spell_ticks, ticks_usd
from reports.weekly.bridge import leading_words
from reports.weekly.review import Counted, MonthEnd, WeeklyReview
from store import DAY_US, HOUR_US, MINUTE_US

FROM_ZERO = "from zero"


def headline(review: WeeklyReview) -> str:
    """Return the headline of `review`: one sentence, its parts divided by semicolons."""
    if review.now is None:
        return f"Nothing is recorded of {week_words(review)}."
    parts = [_spend(review, review.now), _latency(review, review.now.figures)]
    month_end = None if review.month_end is None else month_end_words(review.month_end)
    if month_end is not None and review.spend is not None:
        parts.append(month_end)
    return "; ".join(parts) + "."


def week_words(review: WeeklyReview) -> str:
    """Return what the week is called within a sentence."""
    return f"week {review.week.number} of {review.week.year}"


def before_words(review: WeeklyReview) -> str:
    """Return what the week is compared with."""
    return "the week before" if review.ended else "the same part of the week before"


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
    verb = "ended" if found.over else "is forecast to end"
    words = f"{found.month:%B} {verb} at {usd(found.forecast_usd)} USD"
    if found.budget_usd is None:
        return f"{words}, with no budget set"
    budget = f"its budget of {usd(found.budget_usd)} USD"
    difference = found.forecast_usd - found.budget_usd
    if not difference:
        return f"{words}, on {budget}"
    side = "over" if difference > 0 else "under"
    return f"{words}, {usd(abs(difference))} USD {side} {budget}"


def many(number: int, thing: str, things: str = "") -> str:
    """Return a number of things, in the singular for one."""
    return f"{count(number)} {thing if number == 1 else things or f'{thing}s'}"


def no_comparison(review: WeeklyReview) -> str | None:
    """Return why the spend is not compared: "no record of ..."; None where it is."""
    this, before, fresh = "this week", before_words(review), review.freshness
    if review.now is None:
        return f"no record of {this} to compare"
    if review.spend is None:
        return f"no known spend of {this} to compare"
    if review.before is not None:
        known = review.spend_before is not None
        return None if known else f"no known spend of {before} to compare with"
    if review.period.length_us < HOUR_US:
        return f"less than an hour of {this} to compare"
    if fresh.missing_before == fresh.hours:
        return f"no record of {before} to compare with"
    return f"too little recorded of {before} to compare with"


def _spend(review: WeeklyReview, now: Counted) -> str:
    week = week_words(review).capitalize()
    if review.spend is None:
        why = "no price is known for its machines"
        if not review.coverage.unpriced:
            why = "nothing that costs is recorded"
        return f"The spend of {week_words(review)} is unknown: {why}{_lacks(review, now)}"
    cost = f"{week} cost {spell_ticks(review.spend)} USD"
    if not review.ended:
        counted = length_words(review.period.length_us)
        cost = f"{week} has cost {spell_ticks(review.spend)} USD in its first {counted}"
    return f"{cost}{_change(review, now)}{_lacks(review, now)}"


def _change(review: WeeklyReview, now: Counted) -> str:
    reason = no_comparison(review)
    if reason is not None or review.before is None:
        return f", with {reason}"
    spend, spend_before = now.spend or 0, review.before.spend or 0
    before = before_words(review) + _unlike(review, now, review.before)
    change = relative_change(ticks_usd(spend), ticks_usd(spend_before), Polarity.LOWER_IS_BETTER)
    if change.arrow == LEVEL:
        equal = spell_ticks(spend) == spell_ticks(spend_before)
        return f", {'' if equal else 'about '}as much as {before}"
    if change.amount == FROM_ZERO:
        return f", after nothing in {before}"
    words = {UP: "more than", DOWN: "less than"}[change.arrow]
    amount = change.amount
    if amount.startswith("x"):
        amount, words = f"{amount.removeprefix('x')} times", "as much as"
    led_by = "" if review.bridge is None else leading_words(review.bridge)
    return f", {amount} {words} {before}{led_by}"


def _unlike(review: WeeklyReview, now: Counted, before: Counted) -> str:
    """Return what sets the week before apart such that the two are hardly alike."""
    fresh, words = review.freshness, []
    if fresh.missing_before != fresh.hours_missing:
        words.append(_missing(fresh.missing_before, fresh.hours))
    if (before.simulated, before.measured) != (now.simulated, now.measured):
        words.append(_simulated(before))
    told = ", ".join(filter(None, words))
    return f" ({told})" if told else ""


def _lacks(review: WeeklyReview, now: Counted) -> str:
    """Return what the week lacks, or has and never ran."""
    words = [_missing(review.freshness.hours_missing, review.freshness.hours)]
    if review.spend is not None:
        unpriced = len(review.coverage.unpriced)
        if unpriced:
            kinds = many(unpriced, "kind of machine", "kinds of machines")
            words.append(f"without {kinds} of unknown price")
        if review.coverage.unpriced_bytes:
            words.append("without bytes of unknown price")
    words.append(_simulated(now))
    return "".join(f", {one}" for one in words if one)


def _missing(hours_missing: int, hours: int) -> str:
    if not hours_missing:
        return ""
    return f"with {count(hours_missing)} of its {many(hours, 'hour')} missing"


def _simulated(found: Counted) -> str:
    if not found.simulated:
        return ""
    if not found.measured:
        return "all of it simulated"
    if not found.simulated_requests:
        return "simulated machines included"
    return f"{many(found.simulated_requests, 'simulated request')} included"


def _latency(review: WeeklyReview, now: Figures) -> str:
    if now.p99_ms is None:
        return "no request succeeded" if now.requests else "no request came"
    value, unit = duration_ms(now.p99_ms)
    verdict = "met" if review.p99_met else "missed"
    return f"p99 latency of {value} {unit} {verdict} its target of {review.p99_target_ms:g} ms"
