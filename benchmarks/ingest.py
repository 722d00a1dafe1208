"""From spool to committed and rolled up, beside what DuckDB does with the same lines by itself."""

import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.ingest_run import Run
from benchmarks.report import Goal, Outcome, Spread
from benchmarks.rounds import in_turn, paired_ratios
from benchmarks.servers import NotMeasuredError, Workplace
from benchmarks.spool_maker import fill_spool

RECORDS_PER_S_LEAST = 300_000
OF_BARE_LEAST = 0.5
MOST_MIB = 1024
HEADER = ["what", "records/s", "CPU us/record", "highest MiB", "file MiB"]
COLLECTOR, BARE = "collector", "bare"
NAMES = {
    COLLECTOR: "collector: checked, stored, rolled up, deleted from the spool",
    BARE: "bare INSERT ... SELECT FROM read_json",
}


def ingest(place: Workplace, seconds: float, rounds: int) -> Outcome:
    """Measure both, round after round, on as many records as the goal allows in `seconds`."""
    records = round(seconds * RECORDS_PER_S_LEAST)
    spool = place.folder / "spool"
    fill_spool(spool, records, time.time_ns() // 1000 - 60_000_000)
    measures = {how: partial(_run, place.folder, spool, how) for how in NAMES}
    runs = in_turn(measures, rounds)
    for how, found in runs.items():
        if any(run.records != records for run in found):
            raise NotMeasuredError(f"{how}: not all of {records} records were stored")
    rates = {how: [run.records / run.seconds for run in found] for how, found in runs.items()}
    ratio = median(paired_ratios(rates[COLLECTOR], rates[BARE]))
    highest = max(run.highest_mib for run in runs[COLLECTOR])
    results: list[Mapping[str, object]] = [
        {"what": NAMES[how], "runs": [msgspec.to_builtins(run) for run in found]}
        for how, found in runs.items()
    ]
    return Outcome(
        benchmark="ingest",
        settings={"records": records, "rounds": rounds},
        results=results,
        header=HEADER,
        rows=[_row(NAMES[how], found) for how, found in runs.items()],
        goals=[
            Goal("records/s", median(rates[COLLECTOR]), RECORDS_PER_S_LEAST, at_least=True),
            Goal("records/s over those of bare read_json", ratio, OF_BARE_LEAST, at_least=True),
            Goal("highest MiB", highest, MOST_MIB, at_least=False),
        ],
        notes=["Both begin with an empty database and the same segments in the page cache."],
    )


def _run(folder: Path, spool: Path, how: str, number: int) -> Run:
    work = folder / f"{how}-{number}"
    # Links: what the collector deletes stays for the next run.
    copied = shutil.copytree(spool, work / "spool", copy_function=_link)
    finished = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.ingest_run",
            how,
            str(copied),
            str(work / "usage.duckdb"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(work, ignore_errors=True)
    if finished.returncode != 0:
        raise NotMeasuredError(f"{how}: {finished.stderr.strip()}")
    return msgspec.json.decode(finished.stdout, type=Run)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _row(name: str, runs: Sequence[Run]) -> list[str]:
    return [
        name,
        Spread.of([run.records / run.seconds for run in runs]).text(),
        Spread.of([run.cpu_s * 1e6 / run.records for run in runs]).text(1),
        Spread.of([run.highest_mib for run in runs]).text(),
        Spread.of([run.file_mib for run in runs]).text(),
    ]
