"""What the facts behind a finance file lack, in sentences."""

from collections.abc import Iterator

from costs.focus import second_text
from reports.finance.source import ChargeSource
from store import HOUR_US, gaps


def problems_of(source: ChargeSource) -> list[str]:
    """Return what the facts of a source lack, one sentence each."""
    return list(_problems(source))


def _problems(source: ChargeSource) -> Iterator[str]:
    completeness, query = source.facts.completeness, source.query
    state = completeness.state
    if (state.covered_to_us or 0) < query.period.to_us:
        newest = second_text(state.covered_to_us or 0)
        yield f"facts are stored up to {newest}, not to the end of the period"
    if (state.first_fact_us or 0) >= query.period.from_us + HOUR_US:
        oldest = second_text(state.first_fact_us or 0)
        yield f"no fact is older than {oldest}, after the period's begin"
    dropped = sum(each.facts for each in completeness.dropped)
    if dropped:
        yield f"nodes dropped {dropped} facts that they could not write"
    missing = sum(boot.missing_before + boot.missing_within for boot in gaps(completeness.boots))
    if missing:
        yield f"{missing} records are missing by their numbers"
    if completeness.homeless:
        yield (
            f"{completeness.homeless} requests are in no row of machine time: none of their node "
            "is stored for their step"
        )
    if completeness.unmeasured:
        yield (
            f"{completeness.unmeasured} executed requests have no share of machine time: none is "
            "stored for their minute"
        )
    for machine in source.unpriced:
        yield f"{machine} has no price and is left out"
    for words in sorted(source.bytes_at.missing):
        yield f"no price is known for {words}: they are left out"
