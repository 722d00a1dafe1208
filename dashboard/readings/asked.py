"""What a reading is kept by: files as of their last change, and what is asked of them.

Every reading is cached by the commit counter of the database, so a page that asks every two
seconds costs one small query until there is something to show.
"""

from dataclasses import dataclass
from pathlib import Path

from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.settings import Settings
from reports import Window
from store import MINUTE_US, Filter, open_reader, read_commits

# A page that polls would rather keep its picture than wait long for the collector.
POLL_WAIT_S = 0.5
NOTHING_CHOSEN = Address()


@dataclass(frozen=True)
class Asked:
    """What a reading depends on: another one is another reading."""

    database: str
    commits: int
    moment: int
    window: Window
    where: Filter


def asked(
    settings: Settings, address: Address = NOTHING_CHOSEN, *, every_us: int | None = MINUTE_US
) -> Asked:
    """Return what a reading for `address` depends on. Raises StoreErrors.

    What it says of now is read again every `every_us`; None where it says nothing of now.
    """
    with open_reader(settings.database, wait_s=POLL_WAIT_S) as connection:
        commits = read_commits(connection)
    moment = 0 if every_us is None else now_us() // every_us
    return Asked(str(settings.database), commits, moment, address.window, address.where)


def version(path: Path) -> int:
    """Return what changes with the file `path`; one that is missing is told by its reader."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
