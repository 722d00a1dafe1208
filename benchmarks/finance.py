"""A finance file of millions of rows: its speed, its memory, how long it holds the database."""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from benchmarks.made_up_month import FIRST_US, KINDS_OF_A_TEAM, NODES, make_month
from benchmarks.report import Goal, Outcome
from benchmarks.servers import NotMeasuredError, Workplace
from store import DAY_US, HOUR_US, ChargeFacts, Period

RECORDS = 2_000_000
# As many rows a day, a tenth of the days: what grows with the file is seen against it.
HOURS = (72, 720)
MOST_GROWTH = 1.25
LOOK_EVERY_S = 0.1
HEADER = ["rows", "file, MiB", "rows/s", "rows/s of CPU", "highest MiB", "database held, s"]


@dataclass(frozen=True)
class Line:
    """One file: its rows, what it took, how long the facts were copied for."""

    rows: int
    file_mib: float
    wall_s: float
    cpu_s: float
    peak_mib: float
    held_s: float

    def row(self) -> list[str]:
        """Return it as a row under HEADER."""
        return [
            f"{self.rows:,}",
            f"{self.file_mib:,.0f}",
            f"{self.rows / self.wall_s:,.0f}",
            f"{self.rows / self.cpu_s:,.0f}",
            f"{self.peak_mib:,.0f}",
            f"{self.held_s:.2f}",
        ]


def finance(place: Workplace, _seconds: float, _rounds: int, records: int = RECORDS) -> Outcome:
    """Write a file of about `records` rows, and one of a tenth of them."""
    teams = max(1, round(records / (NODES * KINDS_OF_A_TEAM * HOURS[-1])))
    lines = [_line(place.folder / str(hours), hours, teams) for hours in HOURS]
    small, large = lines
    return Outcome(
        benchmark="finance",
        settings={"records": records, "teams": teams},
        results=[msgspec.to_builtins(line) for line in lines],
        header=HEADER,
        rows=[line.row() for line in lines],
        goals=[
            Goal(
                "memory for ten times the rows, as a multiple",
                large.peak_mib / small.peak_mib,
                MOST_GROWTH,
                at_least=False,
            )
        ],
        notes=["Every row is checked against the rules of FOCUS as it is written."],
    )


def _line(folder: Path, hours: int, teams: int) -> Line:
    folder.mkdir()
    database = folder / "usage.duckdb"
    make_month(database, hours, teams)
    held_s = _held_s(database, folder / "copy", hours)
    out = folder / "out"
    end = datetime.fromtimestamp(FIRST_US // 1_000_000, UTC) + timedelta(hours=hours)
    started = time.perf_counter()
    process = subprocess.Popen(
        [
            sys.executable, "-m", "reports", "finance", "--database", str(database),
            "--from", "2026-11-01", "--to", str(end.date()), "--out", str(out),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    peak_mib = 0.0
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        peak_mib = max(peak_mib, _peak_mib(process.pid))
        time.sleep(LOOK_EVERY_S)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = time.perf_counter() - started
    if process.returncode != 0:
        raise NotMeasuredError(f"the command ended with exit code {process.returncode}")
    [file] = out.glob("*.csv")
    return Line(
        rows=msgspec.json.decode(printed)["rows"],
        file_mib=file.stat().st_size / 2**20,
        wall_s=wall_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mib=peak_mib,
        held_s=held_s,
    )


def _peak_mib(pid: int) -> float:
    """Return the most memory that a process has had so far.

    What wait4 tells of it includes the memory of the process that began it.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 0.0 if found is None else int(found[1]) / 2**10


def _held_s(database: Path, folder: Path, hours: int) -> float:
    """Return how long copying the facts takes; the database is open for most of that."""
    folder.mkdir()
    period = Period(FIRST_US, FIRST_US + max(hours * HOUR_US, DAY_US))
    started = time.perf_counter()
    facts = ChargeFacts(database, folder, period, HOUR_US, [0])
    held_s = time.perf_counter() - started
    facts.close()
    return held_s
