"""Whether the data can be trusted: fresh, whole, readable and priced."""

from dataclasses import dataclass
from pathlib import Path

from costs import Catalogue, Machine, Price, PriceMissingError
from costs.prices.as_of import days_old
from reports.window import Window, whole
from store import (
    MINUTE_US,
    BootHealth,
    CommitMinute,
    Dropped,
    Filter,
    Period,
    RejectedReason,
    Storage,
    StoredRejection,
    StoreState,
    gaps,
    open_reader,
    read_boots,
    read_commit_minutes,
    read_dropped,
    read_records_per_s,
    read_rejected_lines,
    read_rejected_reasons,
    read_state,
    read_storage,
    read_uptimes,
    silent,
)

SECOND_US = 1_000_000
# A collector commits every second or two, and a node samples itself every second: what takes ten
# times as long is stuck somewhere.
SLOW_LAG_US = 20 * SECOND_US
SILENT_US = MINUTE_US
# A reader opens the file for tens of milliseconds. A commit that waits for seconds met one that
# keeps it open; a collector that holds it most of the time shuts readers out.
LONG_WAIT_US = 5 * SECOND_US
LARGE_HELD_SHARE = 0.5
OLD_PRICE_DAYS = 365
NEWEST_REJECTIONS = 50
# No price needs to be renewed for machines that never ran.
MEASURED = Filter(simulated=("no",))


@dataclass(frozen=True)
class PriceAge:
    """A machine that ran in the window and its price; `days` is how old the price is, at most.

    `price` is None where none is known, `days` also where its as_of names no date.
    """

    machine: Machine
    price: Price | None
    days: int | None

    @property
    def good(self) -> bool:
        """Whether there is a price that was looked up within a year."""
        return self.days is not None and self.days <= OLD_PRICE_DAYS


@dataclass(frozen=True)
class HealthReport:
    """Everything the Data health page shows, as of `now_us`.

    `commits` are minutes of `period`, ascending, `dropped` the nodes that lost facts in it;
    `rejections` are the lines rejected last, `reasons` and `boots` those of all time.
    """

    now_us: int
    period: Period
    state: StoreState
    commits: list[CommitMinute]
    records_per_s: float
    reasons: list[RejectedReason]
    rejections: list[StoredRejection]
    boots: list[BootHealth]
    dropped: list[Dropped]
    storage: Storage
    prices: list[PriceAge]

    @property
    def newest_lag_us(self) -> int | None:
        """The longest lag of the last minute in which a request was committed."""
        return next((m.lag_us_max for m in self.commits[::-1] if m.lag_us_max is not None), None)

    @property
    def max_lag_us(self) -> int | None:
        """The longest lag of the window."""
        lags = [m.lag_us_max for m in self.commits if m.lag_us_max is not None]
        return max(lags, default=None)

    @property
    def since_commit_us(self) -> int:
        """How long ago something was committed last."""
        return max(0, self.now_us - self.state.committed_at_us)

    @property
    def fresh(self) -> bool:
        """Whether facts are stored soon after they arise, and still are."""
        lag_us = self.newest_lag_us
        return self.since_commit_us <= SILENT_US and (lag_us is None or lag_us <= SLOW_LAG_US)

    @property
    def rejected(self) -> int:
        """Lines rejected in the window."""
        return sum(minute.rejected for minute in self.commits)

    @property
    def gaps(self) -> list[BootHealth]:
        """Boots of which records are missing by their sequence numbers."""
        return gaps(self.boots)

    @property
    def missing(self) -> int:
        """Records that are missing by their sequence numbers."""
        return sum(boot.missing_before + boot.missing_within for boot in self.gaps)

    @property
    def dropped_facts(self) -> int:
        """Facts that nodes lost in the window, by their own account."""
        return sum(node.facts for node in self.dropped)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing or was dropped."""
        return not self.missing and not self.dropped_facts

    @property
    def longest_wait_us(self) -> int:
        """The longest that one commit of the window waited for readers."""
        return max((minute.lock_wait_us_max for minute in self.commits), default=0)

    @property
    def held_share(self) -> float | None:
        """The part of the time for which the collector held the file, in minutes with a commit.

        None without any. The minute that runs counts with what there is of it.
        """
        if not self.commits:
            return None
        ends = [min(m.minute_us + MINUTE_US, max(self.now_us, 0)) for m in self.commits]
        ran_us = sum(max(end - m.minute_us, 1) for end, m in zip(ends, self.commits, strict=True))
        return min(1.0, sum(minute.held_us for minute in self.commits) / ran_us)

    @property
    def shared(self) -> bool:
        """Whether collector and readers get at the file without keeping each other waiting."""
        share = self.held_share
        return self.longest_wait_us <= LONG_WAIT_US and (share is None or share <= LARGE_HELD_SHARE)

    @property
    def silent(self) -> list[BootHealth]:
        """Nodes that left facts in the window, and none in its last minute."""
        return [
            boot
            for boot in silent(self.boots, self.now_us, SILENT_US)
            if (boot.last_fact_us or 0) >= self.period.from_us
        ]

    @property
    def active(self) -> int:
        """Nodes that left a fact in the window; simulated ones are none."""
        boots = [boot for boot in self.boots if not boot.simulated]
        return len({b.node_id for b in boots if (b.last_fact_us or 0) >= self.period.from_us})

    @property
    def good(self) -> bool:
        """Whether there is nothing to look at."""
        return (
            self.fresh
            and not self.rejected
            and self.complete
            and self.shared
            and not self.silent
            and all(price.good for price in self.prices)
        )


def load_health(database: Path, catalogue: Catalogue, window: Window, now_us: int) -> HealthReport:
    """Return the health of the data over the last `window` before `now_us`. Raises StoreErrors."""
    # The minute that runs is a part of it, and be it of no length yet.
    to_us = now_us // MINUTE_US * MINUTE_US + MINUTE_US
    period = Period(to_us - window.length_us, to_us)
    with open_reader(database) as connection:
        ran = whole(connection, period)
        machines = {
            row.time.machine
            for row in read_uptimes(
                connection, ran, ran.length_us, catalogue.changes(), where=MEASURED
            )
        }
        return HealthReport(
            now_us=now_us,
            period=period,
            state=read_state(connection),
            commits=read_commit_minutes(connection, period),
            records_per_s=read_records_per_s(connection, now_us),
            reasons=read_rejected_reasons(connection),
            rejections=read_rejected_lines(connection, NEWEST_REJECTIONS),
            boots=read_boots(connection),
            dropped=read_dropped(connection, ran),
            storage=read_storage(connection),
            prices=[price_age(catalogue, machine, now_us) for machine in sorted(machines)],
        )


def price_age(catalogue: Catalogue, machine: Machine, now_us: int) -> PriceAge:
    """Return the price of `machine` in force at `now_us`, and how old it is then."""
    try:
        price = catalogue.at(machine, now_us)
    except PriceMissingError:
        return PriceAge(machine, None, None)
    return PriceAge(machine, price, days_old(price.as_of, now_us))
