"""What keeps the database small and quick: archive, merge, fold, and delete what is out of date."""

from dataclasses import dataclass
from pathlib import Path

from store.archive import archive_before, drop_days, merge_days
from store.compaction import fold_minutes
from store.database import WAIT_S, open_writer
from store.period import DAY_US, HOUR_US
from store.retention import Retention


@dataclass(frozen=True)
class Maintained:
    """What one maintenance did: facts archived, files merged into one a day, facts deleted."""

    archived: int
    merged: int
    dropped: int


def fold_before_us(retention: Retention, now_us: int) -> int:
    """Return the start of the oldest day whose rollups stay by minute."""
    return now_us // DAY_US * DAY_US - (retention.minute_days - 1) * DAY_US


def maintain(
    path: Path, retention: Retention, *, now_us: int, wait_s: float = WAIT_S
) -> Maintained:
    """Bring `path` into the form that `retention` asks for at `now_us`.

    Each step is whole or absent, so that this may be cut off anywhere and done again. Raises
    StoreErrors, and OSError when the archive cannot be written.
    """
    today_us = now_us // DAY_US * DAY_US
    hot_from_us = now_us // HOUR_US * HOUR_US - retention.hot_hours * HOUR_US
    archived = archive_before(path, hot_from_us, now_us=now_us, wait_s=wait_s)
    # A day gets no more files once all of it is archived.
    merged = merge_days(path, hot_from_us // DAY_US * DAY_US, now_us=now_us, wait_s=wait_s)
    with open_writer(path, wait_s=wait_s) as connection:
        fold_minutes(connection, fold_before_us(retention, now_us))
        for table, time, days in (
            ("rejected_line", "rejected_at_us", retention.rejected_days),
            ("commit_minute", "minute_us", retention.commit_days),
        ):
            if days is not None:
                connection.execute(
                    f"DELETE FROM {table} WHERE {time} < ?", [today_us - days * DAY_US]
                )
    dropped = 0
    if retention.archive_days is not None:
        dropped = drop_days(path, today_us - retention.archive_days * DAY_US, wait_s=wait_s)
    return Maintained(sum(file.facts for file in archived), len(merged), dropped)
