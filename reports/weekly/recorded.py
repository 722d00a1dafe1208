"""The weeks that facts are stored of: those to choose from."""

from dataclasses import dataclass
from pathlib import Path

from reports.weekly.week import FIRST_REVIEWED, LAST_REVIEWED, Week
from store import EVERYTHING, Filter, open_reader, read_state


@dataclass(frozen=True)
class RecordedWeeks:
    """Weeks with facts, newest first, and the one to look at first.

    That is the newest that has ended; where none has, the one that runs.
    """

    weeks: tuple[Week, ...]
    first: Week


def load_recorded_weeks(
    database: Path, now_us: int, where: Filter = EVERYTHING
) -> RecordedWeeks | None:
    """Return the weeks from the first fact to the newest; None where there is no fact.

    Of `where` counts only whether simulated runs do. Raises StoreErrors.
    """
    with open_reader(database) as connection:
        state = read_state(connection, where)
    if state.first_fact_us is None or state.end_us is None:
        return None
    return weeks_between(state.first_fact_us, state.end_us, now_us)


def weeks_between(first_us: int, end_us: int, now_us: int) -> RecordedWeeks:
    """Return the weeks of facts from `first_us` up to `end_us`, not included, as of `now_us`."""
    earliest = Week(FIRST_REVIEWED, 1).period.from_us
    latest = Week(LAST_REVIEWED, 52).period.from_us
    oldest, newest = (Week.of(min(max(at, earliest), latest)) for at in (first_us, end_us - 1))
    weeks = [newest]
    while weeks[-1] > oldest:
        weeks.append(weeks[-1].plus(-1))
    ended = (week for week in weeks if week.period.to_us <= now_us)
    return RecordedWeeks(tuple(weeks), next(ended, weeks[0]))
