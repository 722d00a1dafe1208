"""From a record in the spool to its being seen by a reader, with three dashboards reading too."""

import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from benchmarks.report import Goal, Outcome
from benchmarks.servers import ROOT, NotMeasuredError, Workplace
from benchmarks.spool_maker import NODE_ID
from store import StoreError, open_reader

RATE_PER_S = 2_000
DASHBOARDS = 3
PROBE_S = 0.1
WARM_UP_S = 3.0
MOST_S = 3.0
QUANTILES = (50, 95, 99, 100)
HEADER = ["seconds", "records", "p50 s", "p95 s", "p99 s", "longest s", "a page's reading, p99 ms"]


def freshness(place: Workplace, seconds: float, rounds: int) -> Outcome:
    """Write at 2,000 records/s for `seconds` and look every tenth of a second what is there."""
    delays, pages = [], []
    rows = []
    for number in range(rounds):
        found, reading = _measure(place.folder / f"round-{number}", seconds)
        delays.append(np.percentile(found, QUANTILES).tolist())
        pages.append(float(np.percentile(reading, 99)))
        rows.append(
            [
                f"{seconds:g}",
                f"{len(found):,}",
                *(f"{value:.2f}" for value in delays[-1]),
                f"{pages[-1]:.0f}",
            ]
        )
    return Outcome(
        benchmark="freshness",
        settings={
            "records_per_s": RATE_PER_S,
            "dashboards": DASHBOARDS,
            "seconds": seconds,
            "rounds": rounds,
        },
        results=[
            {"delay_s": dict(zip(map(str, QUANTILES), delay, strict=True)), "page_p99_ms": page}
            for delay, page in zip(delays, pages, strict=True)
        ],
        header=HEADER,
        rows=rows,
        goals=[
            Goal("p99 from spool to reader, s", max(d[2] for d in delays), MOST_S, at_least=False)
        ],
        notes=[
            f"The collector commits every second; {DASHBOARDS} processes read what Overview and "
            "Requests read, every two seconds; a fourth one looks for the newest record, every "
            f"{PROBE_S:g} s. The goal is held against the worst round."
        ],
    )


def _measure(folder: Path, seconds: float) -> tuple[list[float], list[float]]:
    spool, database = folder / "spool", folder / "usage.duckdb"
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        stack.enter_context(_running("collectors", "run", "--spool", spool, "--database", database))
        writer = stack.enter_context(
            _running("benchmarks.freshness_writer", spool, RATE_PER_S, log=folder / "writer")
        )
        _await(database)
        readers = [folder / f"reader-{number}" for number in range(DASHBOARDS)]
        for log in readers:
            stack.enter_context(_running("benchmarks.freshness_reader", database, log=log))
        seen = _probe(database, seconds + WARM_UP_S)
        _stop(writer)
    written = [line.split() for line in (folder / "writer").read_text().splitlines()]
    reading = [
        float(line) for log in readers for line in log.read_text().splitlines() if line != "busy"
    ]
    if not reading or not seen:
        raise NotMeasuredError(f"nothing was read, see {folder}")
    return _delays([(int(seq), int(at)) for seq, at in written], seen), reading


def _delays(written: list[tuple[int, int]], seen: list[tuple[int, int]]) -> list[float]:
    """Return for each record the seconds from its writing to the first look that found it.

    Both lists are (number of the last record, microseconds). The first seconds do not count, nor
    do records that the last look did not find yet.
    """
    begin_us = written[0][1] + round(WARM_UP_S * 1e6)
    numbers = [number for number, _ in seen]
    delays: list[float] = []
    before = 0
    for number, at_us in written:
        look = bisect_left(numbers, number)
        if at_us >= begin_us and look < len(seen):
            delays += [(seen[look][1] - at_us) / 1e6] * (number - before)
        before = number
    return delays


def _probe(database: Path, seconds: float) -> list[tuple[int, int]]:
    """Return (newest record visible, microseconds) for each look that found a newer one."""
    seen: list[tuple[int, int]] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with open_reader(database) as connection:
            [(newest,)] = connection.execute(
                "SELECT max(seq_max) FROM boot WHERE node_id = ?", [NODE_ID]
            ).fetchall()
        if newest is not None and (not seen or newest > seen[-1][0]):
            seen.append((newest, time.time_ns() // 1000))
        time.sleep(PROBE_S)
    return seen


def _await(database: Path) -> None:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at:
        try:
            with open_reader(database):
                return
        except StoreError:
            time.sleep(PROBE_S)
    raise NotMeasuredError("the collector did not begin")


@contextmanager
def _running(
    module: str, *arguments: object, log: Path | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    with ExitStack() as stack:
        out = stack.enter_context(log.open("wb")) if log else subprocess.DEVNULL
        process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
        )
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    process.wait()
