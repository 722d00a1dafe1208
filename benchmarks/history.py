"""A hundred million records over ninety days: opening, pages of any slice, one raw hour."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

import duckdb
import msgspec

from benchmarks.made_up_history import DAY_US, DAYS, FIRST_DAY_US, make_history
from benchmarks.report import Goal, Outcome, Spread
from benchmarks.servers import NotMeasuredError, Workplace
from reports import WINDOWS, load_catalogue, load_latency, load_overview, load_utilization
from store import (
    Filter,
    Period,
    heat_map,
    open_reader,
    percentile_curve,
    read_breakdown,
    read_busy_times,
    read_latency,
    read_latest_requests,
    read_series,
    read_slowest_requests,
    read_stages,
    read_state,
    read_uptimes,
    rebuild_database,
)
from store.archive_views import archive_folder
from store.grouping import By

RECORDS = 100_000_000
MINUTE_DAYS = 3
HOUR_US = DAY_US // 24
END_US = FIRST_DAY_US + DAYS * DAY_US
OPEN_MS, PAGE_MS, HOUR_MS = 60, 150, 500
HEADER = ["what", "ms"]

ALL = Period(FIRST_DAY_US, END_US)
MONTH = Period(END_US - 30 * DAY_US, END_US)
# Half of it by minute.
WEEK = Period(END_US - 7 * DAY_US, END_US)
# Three weeks back, at noon: from the archive.
ONE_HOUR = Period(END_US - 21 * DAY_US + 12 * HOUR_US, END_US - 21 * DAY_US + 13 * HOUR_US)
SLICE = Filter(tenant=("shop",), model=("ranker", "digits"), region=("us-east-1",))

Query = Callable[[duckdb.DuckDBPyConnection], object]
Load = Callable[[Path], object]


def _costs(period: Period, step_us: int, where: Filter) -> Query:
    def read(connection: duckdb.DuckDBPyConnection) -> object:
        return (
            read_state(connection),
            read_series(connection, period, step_us, where=where),
            read_uptimes(connection, period, step_us, [0], where=where),
            read_busy_times(connection, period, step_us, [0], where=where),
        )

    return read


def _latency(period: Period, step_us: int, where: Filter) -> Query:
    def read(connection: duckdb.DuckDBPyConnection) -> object:
        [whole] = read_latency(connection, period, where=where)
        return (
            whole.quantiles_us((0.5, 0.95, 0.99, 0.999)),
            percentile_curve(whole.counts),
            heat_map(read_latency(connection, period, step_us, where=where)),
            read_stages(connection, period, step_us, where=where),
        )

    return read


def _breakdown(period: Period, where: Filter) -> Query:
    return lambda connection: read_breakdown(
        connection, period, (By.MODEL, By.MODEL_VERSION), [0], where=where
    )


PAGES: Mapping[str, Query] = {
    "90 days by day: requests, machine time, busy time": _costs(ALL, DAY_US, Filter()),
    "the same of a slice": _costs(ALL, DAY_US, SLICE),
    "90 days by day: quantiles, curve, heat map, stages": _latency(ALL, DAY_US, Filter()),
    "the same of a slice (latency)": _latency(ALL, DAY_US, SLICE),
    "90 days by model and version, quantiles of each": _breakdown(ALL, Filter()),
    "30 days by day: requests, machine time, busy time": _costs(MONTH, DAY_US, Filter()),
    "30 days by day: quantiles, curve, heat map, stages": _latency(MONTH, DAY_US, Filter()),
    "7 days by hour: requests, machine time, busy time": _costs(WEEK, HOUR_US, Filter()),
    "7 days by hour: quantiles, curve, heat map, stages": _latency(WEEK, HOUR_US, Filter()),
    "7 days by hour: the latter of a slice": _latency(WEEK, HOUR_US, SLICE),
}
RAW: Mapping[str, Query] = {
    "one hour three weeks ago: the latest 1,000 requests": lambda connection: read_latest_requests(
        connection, 1_000, period=ONE_HOUR
    ),
    "one hour three weeks ago: the slowest 100 requests": lambda connection: read_slowest_requests(
        connection, ONE_HOUR, 100
    ),
    "one hour three weeks ago: every record, by SQL": lambda connection: connection.sql(
        "FROM usage_record WHERE arrived_at_us >= $from AND arrived_at_us < $to",
        params={"from": ONE_HOUR.from_us, "to": ONE_HOUR.to_us},
    ).to_arrow_table(),
}


def _loads(days: int) -> Mapping[str, Load]:
    [window] = [window for window in WINDOWS if window.length_us == days * DAY_US]
    prices = load_catalogue(PRICES)
    return {
        f"all of the Overview page, {days} days": lambda database: load_overview(
            database, prices, window, END_US
        ),
        f"all of the Latency page, {days} days": lambda database: load_latency(
            database, window, END_US, by=[By.MODEL]
        ),
        f"all of the Utilisation page, {days} days": lambda database: load_utilization(
            database, window, END_US
        ),
    }


# What a page of the dashboard reads, the window before for its changes included, from opening the
# database to closing it, with the arithmetic in between.
PRICES = Path("data/prices")
LOADS: Mapping[str, Load] = {**_loads(7), **_loads(30), **_loads(90)}
# In a process of its own, as a dashboard that has just begun.
OPENING = """
import sys, time
from pathlib import Path
from store import open_reader, read_commits
started = time.perf_counter()
with open_reader(Path(sys.argv[1])) as connection:
    read_commits(connection)
print((time.perf_counter() - started) * 1000)
"""


def history(place: Workplace, _seconds: float, rounds: int, records: int = RECORDS) -> Outcome:
    """Make the history, which takes some minutes, and time each reading `rounds` times."""
    database = place.folder / "usage.duckdb"
    make_history(archive_folder(database), records)
    rebuild_database(database, END_US - MINUTE_DAYS * DAY_US, now_us=END_US)
    times = {"opening the database": [_opening(database) for _ in range(rounds)]}
    for name, read in {**PAGES, **RAW}.items():
        times[name] = [_timed(database, read) for _ in range(rounds)]
    for name, load in LOADS.items():
        times[name] = [_milliseconds(partial(load, database)) for _ in range(rounds)]
    opened = median(times["opening the database"])
    page = max(median(times[name]) for name in PAGES)
    raw = max(median(times[name]) for name in RAW)
    size = database.stat().st_size / 2**20
    results: list[Mapping[str, object]] = [
        {"what": name, "ms": [round(value, 2) for value in found]} for name, found in times.items()
    ]
    return Outcome(
        benchmark="history",
        settings={"records": records, "days": DAYS, "rounds": rounds},
        results=results,
        header=HEADER,
        rows=[[name, Spread.of(found).text(1)] for name, found in times.items()],
        goals=[
            Goal("opening the database, ms", opened, OPEN_MS, at_least=False),
            Goal("the slowest of the pages, ms", page, PAGE_MS, at_least=False),
            Goal("the slowest reading of one raw hour, ms", raw, HOUR_MS, at_least=False),
        ],
        notes=[
            f"The database has {size:,.0f} MiB; its files are in the page cache. A page is all "
            "queries of its line, one after the other, on a connection that was just opened; all "
            "of a page is what the dashboard does for it, the window before included."
        ],
    )


def _opening(database: Path) -> float:
    finished = subprocess.run(
        [sys.executable, "-c", OPENING, str(database)], capture_output=True, text=True, check=False
    )
    if finished.returncode != 0:
        raise NotMeasuredError(finished.stderr.strip())
    return msgspec.json.decode(finished.stdout, type=float)


def _timed(database: Path, read: Query) -> float:
    with open_reader(database) as connection:
        return _milliseconds(partial(read, connection))


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
