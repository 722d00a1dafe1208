"""What pages read, kept until something new was committed.

Every reading is cached by the commit counter of the database, so a page that asks every two
seconds costs one small query until there is something to show.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from costs import Catalogue, PriceBook, Sharing
from costs.budget import Budget
from costs.price_folder import INSTANCES, MACHINE_FILES, PRICE_FILES
from dashboard.address import Address
from dashboard.clock import now_us
from dashboard.filter_words import Label, Value
from dashboard.settings import Settings
from reports import (
    HealthReport,
    LatencyReport,
    Overview,
    RequestCosts,
    Targets,
    UtilizationReport,
    Window,
    load_catalogue,
    load_health,
    load_latency,
    load_overview,
    load_price_book,
    load_request_costs,
    load_simulated,
    load_targets,
    load_utilization,
)
from reports.budgets.report import BudgetReport, load_budgets
from reports.costs import CostBin, CostReport, load_cost_spread, load_costs
from reports.prices import PriceReport, RanMachine, load_ran_machines, price_report
from reports.weekly import (
    Action,
    RecordedWeeks,
    Week,
    WeeklyReview,
    load_recorded_weeks,
    load_weekly,
)
from store import (
    HOUR_US,
    MINUTE_US,
    Filter,
    Grouping,
    Key,
    Period,
    Simulated,
    open_reader,
    read_commits,
    read_label_choices,
)
from store import read_choices as read_field_choices

# A page that polls would rather keep its picture than wait long for the collector.
POLL_WAIT_S = 0.5
# How old a health report may grow while nothing is committed: what it says is of now.
HEALTH_US = 10_000_000


@dataclass(frozen=True)
class Choices:
    """What a filter can be chosen from: values by field, and labels with their values.

    A label with None stands for requests without it.
    """

    fields: dict[str, list[Value]] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)


@dataclass(frozen=True)
class _Asked:
    """What a reading depends on: another one is another reading."""

    database: str
    commits: int
    moment: int
    window: Window
    where: Filter


def read_overview(settings: Settings, address: Address) -> Overview | None:
    """Return the overview of a window up to now, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    return _overview(_asked(settings, address), *_prices(settings))


def read_requests(settings: Settings, address: Address, limit: int) -> RequestCosts:
    """Return the latest `limit` requests with their costs. Raises StoreErrors and ReportErrors."""
    return _requests(_asked(settings, address), limit, *_prices(settings))


def read_latency(
    settings: Settings, address: Address, by: Sequence[Grouping]
) -> LatencyReport | None:
    """Return the latency of a window, None when the database holds no fact. Raises StoreErrors."""
    return _latency(_asked(settings, address), tuple(by))


def read_utilization(settings: Settings, address: Address) -> UtilizationReport | None:
    """Return the utilisation of a window, None when the database holds no fact.

    Raises StoreErrors.
    """
    return _utilization(_asked(settings, address))


def read_health(settings: Settings, window: Window) -> HealthReport:
    """Return how the data fares. Raises StoreErrors and ReportErrors."""
    asked = _asked(settings, Address(window), every_us=HEALTH_US)
    return _health(asked, *_prices(settings))


def read_budget_report(
    settings: Settings, where: Filter, budgets: tuple[Budget, ...]
) -> BudgetReport | None:
    """Return the month against `budgets`, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    asked = _asked(settings, Address(where=Filter(simulated=where.simulated)))
    return _budget_report(asked, budgets, *_book_key(settings))


def read_choices(settings: Settings) -> Choices:
    """Return what a filter can be chosen from. Raises StoreErrors."""
    return _choices(str(settings.database), _commits(settings.database))


def read_costs(
    settings: Settings,
    address: Address,
    by: Sequence[Grouping],
    rule: Sharing,
    owner: Key | None = None,
) -> CostReport | None:
    """Return the costs of a window, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    return _costs(_asked(settings, address), tuple(by), rule, owner, *_book_key(settings))


def read_cost_spread(settings: Settings, address: Address) -> list[CostBin]:
    """Return how unequal the costs of requests are. Raises StoreErrors and ReportErrors."""
    return _cost_spread(_asked(settings, address), *_book_key(settings))


def read_simulated(settings: Settings, shown: Window | Period, where: Filter) -> Simulated:
    """Return how much of a window up to now, or of a period, never ran. Raises StoreErrors."""
    moment = 0 if isinstance(shown, Period) else now_us() // MINUTE_US
    return _simulated(str(settings.database), _commits(settings.database), moment, shown, where)


def read_price_report(settings: Settings) -> PriceReport:
    """Return the prices in force. Raises ReportErrors."""
    return _price_report(now_us() // MINUTE_US, *_book_key(settings))


def read_ran_machines(settings: Settings, window: Window) -> list[RanMachine] | None:
    """Return the machines that ran with their prices now, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    return _ran_machines(_asked(settings, Address(window)), *_prices(settings))


def read_recorded_weeks(settings: Settings, where: Filter) -> RecordedWeeks | None:
    """Return the weeks that can be reviewed, None without a fact. Raises StoreErrors."""
    commits = _commits(settings.database)
    return _recorded_weeks(str(settings.database), commits, now_us() // HOUR_US, where)


def read_weekly(
    settings: Settings,
    week: Week,
    actions: tuple[Action, ...],
    budgets: tuple[Budget, ...],
    where: Filter,
) -> WeeklyReview | None:
    """Return the review of a week, None when the database holds no fact.

    Raises StoreErrors and ReportErrors.
    """
    # A week that has ended changes with what is committed alone.
    ended = week.period.to_us <= now_us()
    return _weekly(
        str(settings.database),
        _commits(settings.database),
        0 if ended else now_us() // MINUTE_US,
        week,
        actions,
        budgets,
        where,
        _file_key(settings.targets),
        *_book_key(settings),
    )


def read_targets(settings: Settings) -> Targets:
    """Return the promised quality of service. Raises ReportErrors."""
    return _targets(*_file_key(settings.targets))


def _asked(settings: Settings, address: Address, every_us: int = MINUTE_US) -> _Asked:
    commits = _commits(settings.database)
    return _Asked(
        str(settings.database), commits, now_us() // every_us, address.window, address.where
    )


def _commits(database: Path) -> int:
    with open_reader(database, wait_s=POLL_WAIT_S) as connection:
        return read_commits(connection)


def _prices(settings: Settings) -> tuple[str, int]:
    versions = tuple(_file_key(settings.prices / name)[1] for name in MACHINE_FILES)
    return str(settings.prices / INSTANCES), hash(versions)


def _book_key(settings: Settings) -> tuple[str, tuple[int, ...]]:
    """Return what a cached reading of the whole folder of prices depends on."""
    versions = tuple(_file_key(settings.prices / name)[1] for name in PRICE_FILES)
    return str(settings.prices), versions


def _file_key(path: Path) -> tuple[str, int]:
    """Return what a cached reading of `path` depends on; a missing file is told by its reader."""
    try:
        return str(path), path.stat().st_mtime_ns
    except OSError:
        return str(path), 0


@st.cache_data(show_spinner=False, max_entries=32)
def _overview(asked: _Asked, prices: str, prices_version: int) -> Overview | None:
    catalogue = _catalogue(prices, prices_version)
    return load_overview(Path(asked.database), catalogue, asked.window, now_us(), asked.where)


@st.cache_data(show_spinner=False, max_entries=16)
def _requests(asked: _Asked, limit: int, prices: str, prices_version: int) -> RequestCosts:
    catalogue = _catalogue(prices, prices_version)
    return load_request_costs(
        Path(asked.database), catalogue, limit, asked.where, asked.window, now_us()
    )


@st.cache_data(show_spinner=False, max_entries=16)
def _latency(asked: _Asked, by: tuple[Grouping, ...]) -> LatencyReport | None:
    return load_latency(Path(asked.database), asked.window, now_us(), asked.where, by)


@st.cache_data(show_spinner=False, max_entries=16)
def _utilization(asked: _Asked) -> UtilizationReport | None:
    return load_utilization(Path(asked.database), asked.window, now_us(), asked.where)


@st.cache_data(show_spinner=False, max_entries=16)
def _health(asked: _Asked, prices: str, prices_version: int) -> HealthReport:
    catalogue = _catalogue(prices, prices_version)
    return load_health(Path(asked.database), catalogue, asked.window, now_us())


@st.cache_data(show_spinner=False, max_entries=16)
def _ran_machines(asked: _Asked, prices: str, prices_version: int) -> list[RanMachine] | None:
    catalogue = _catalogue(prices, prices_version)
    return load_ran_machines(Path(asked.database), catalogue, asked.window, now_us())


# Not copied for every reader: nobody changes a report.
@st.cache_resource(show_spinner=False, max_entries=4)
def _price_report(
    moment: int,  # noqa: ARG001 - a part of the key
    folder: str,
    versions: tuple[int, ...],
) -> PriceReport:
    return price_report(_book(folder, versions), now_us())


@st.cache_data(show_spinner=False, max_entries=8)
def _budget_report(
    asked: _Asked, budgets: tuple[Budget, ...], folder: str, versions: tuple[int, ...]
) -> BudgetReport | None:
    book = _book(folder, versions)
    return load_budgets(Path(asked.database), book, budgets, now_us(), asked.where)


@st.cache_data(show_spinner=False, max_entries=8)
def _choices(database: str, commits: int) -> Choices:  # noqa: ARG001 - a part of the key
    with open_reader(Path(database), wait_s=POLL_WAIT_S) as connection:
        by_field = read_field_choices(connection)
        by_label = read_label_choices(connection)
    labels: list[Label] = []
    for name, values in by_label.items():
        labels += [(name, value) for value in values]
        labels.append((name, None))
    return Choices(by_field, labels)


@st.cache_data(show_spinner=False, max_entries=16)
def _costs(
    asked: _Asked,
    by: tuple[Grouping, ...],
    rule: Sharing,
    owner: Key | None,
    prices: str,
    versions: tuple[int, ...],
) -> CostReport | None:
    return load_costs(
        Path(asked.database),
        _book(prices, versions),
        asked.window,
        now_us(),
        asked.where,
        by,
        rule,
        owner,
    )


@st.cache_data(show_spinner=False, max_entries=16)
def _cost_spread(asked: _Asked, prices: str, versions: tuple[int, ...]) -> list[CostBin]:
    return load_cost_spread(
        Path(asked.database),
        _book(prices, versions).machines,
        asked.window,
        now_us(),
        asked.where,
    )


@st.cache_resource(show_spinner=False, max_entries=4)
def _book(folder: str, versions: tuple[int, ...]) -> PriceBook:  # noqa: ARG001 - part of the key
    return load_price_book(Path(folder))


@st.cache_data(show_spinner=False, max_entries=32)
def _simulated(
    database: str,
    commits: int,  # noqa: ARG001 - a part of the key
    moment: int,  # noqa: ARG001 - a part of the key
    shown: Window | Period,
    where: Filter,
) -> Simulated:
    return load_simulated(Path(database), shown, now_us(), where)


@st.cache_data(show_spinner=False, max_entries=8)
def _recorded_weeks(
    database: str,
    commits: int,  # noqa: ARG001 - a part of the key
    hour: int,  # noqa: ARG001 - a part of the key
    where: Filter,
) -> RecordedWeeks | None:
    return load_recorded_weeks(Path(database), now_us(), where)


@st.cache_data(show_spinner=False, max_entries=16)
def _weekly(
    database: str,
    commits: int,  # noqa: ARG001 - a part of the key
    moment: int,  # noqa: ARG001 - a part of the key
    week: Week,
    actions: tuple[Action, ...],
    budgets: tuple[Budget, ...],
    where: Filter,
    targets: tuple[str, int],
    prices: str,
    versions: tuple[int, ...],
) -> WeeklyReview | None:
    return load_weekly(
        Path(database),
        _book(prices, versions),
        _targets(*targets),
        week,
        now_us(),
        actions,
        budgets,
        where,
    )


# Not copied for every reader as cache_data would do: nobody changes a catalogue.
@st.cache_resource(show_spinner=False, max_entries=4)
def _catalogue(path: str, version: int) -> Catalogue:  # noqa: ARG001 - a part of the key
    return load_catalogue(Path(path).parent)


@st.cache_resource(show_spinner=False, max_entries=4)
def _targets(path: str, version: int) -> Targets:  # noqa: ARG001 - a part of the key
    return load_targets(Path(path))
