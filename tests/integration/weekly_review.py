"""Two weeks of facts in a real database, and their review."""

from functools import cache
from pathlib import Path

from costs import Machine, PriceBook
from reports import load_targets
from reports.price_book import load_price_book
from reports.weekly import Week, WeeklyReview, load_weekly
from store import DAY_US, Batch
from tests.weeks_of_facts import commit_hours

ROOT = Path(__file__).parents[2]
WEEK = Week(2025, 47)
START_US, END_US = WEEK.period.from_us, WEEK.period.to_us
BEFORE_US = WEEK.plus(-1).period.from_us
MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
MICRO_USD_PER_HOUR = 178_500
TARGETS = load_targets(ROOT / "data/targets.toml")


@cache
def shipped_book() -> PriceBook:
    """Return the prices that the product comes with."""
    return load_price_book(ROOT / "data/prices")


def commit_two_weeks(database: Path) -> Batch:
    """Commit two weeks, the second busier, slower and failing, and return their facts."""
    first = commit_hours(database, BEFORE_US, START_US, requests=2)
    second = commit_hours(
        database,
        START_US,
        END_US,
        first_seq=1 + len(first.records),
        requests=3,
        failures=1,
        total_us=90_000,
        tenant="search",
    )
    return Batch([*first.records, *second.records], [*first.samples, *second.samples])


def review(
    database: Path,
    week: Week = WEEK,
    now_us: int = END_US + DAY_US,
    *,
    book: PriceBook | None = None,
    **more: object,
) -> WeeklyReview:
    """Return the review of `week`; `more` are other arguments of load_weekly."""
    known = book or shipped_book()
    found = load_weekly(database, known, TARGETS, week, now_us, **more)  # type: ignore[arg-type]
    assert found is not None
    return found
