"""A log to import, the import of it, and what it left."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from collectors.importing.command import add_arguments, run
from store import (
    DatabaseBusyError,
    DatabaseMissingError,
    open_reader,
)

WAIT_S = 40.0
START_MS = 1_700_000_000_000
HEADER = "when,who,took,tokens\n"
MAP = """
[time]
column = "when"
format = "unix_ms"
[columns]
tenant = "who"
total_us = "took"
output_tokens = "tokens"
[units]
total_us = "s"
"""


Import = Callable[..., tuple[int, dict[str, Any]]]


def importing(database: Path, map_file: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    """Return what runs the command in this process: it returns its exit code and what it printed.

    The map is `map_file` where no preset is given.
    """

    def bring_in(*arguments: object) -> tuple[int, dict[str, Any]]:
        given = [str(argument) for argument in arguments]
        if "--preset" not in given:
            given += ["--map", str(map_file)]
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        code = run(parser.parse_args([*given, "--database", str(database), "--json"]))
        return code, json.loads(capsys.readouterr().out)

    return bring_in


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    with open_reader(database) as connection:
        return connection.execute(sql).fetchall()


def command(database: Path, *arguments: object) -> list[str]:
    given = [str(argument) for argument in arguments]
    return [sys.executable, "-m", "collectors", "import", *given, "--database", str(database)]


def log(rows: int, first: int = 0) -> str:
    """Rows of MAP that are told apart by their tokens."""
    return "".join(
        f"{START_MS + n},team-{n % 7},0.{n % 1_000:03},{n}\n" for n in range(first, first + rows)
    )


def tokens(database: Path) -> list[int]:
    sql = "SELECT output_tokens FROM usage_record ORDER BY output_tokens"
    return [row[0] for row in query(database, sql)]


def wide(rows: int) -> str:
    """A log of so many rows, and of some commits: each row is long."""
    pad = "x" * 200
    lines = "".join(line + f",{pad}\n" for line in log(rows).splitlines())
    return HEADER.strip() + ",pad\n" + lines


def until_reached(database: Path, rows: int, process: "subprocess.Popen[Any]") -> int:
    """Return how many rows are read as soon as they are more than `rows`, or all that will be."""
    give_up_at = time.monotonic() + WAIT_S
    sql = "SELECT max(position) FROM source_position WHERE source NOT LIKE '%#%'"
    while True:
        reached = 0
        with suppress(DatabaseMissingError):
            reached = query(database, sql)[0][0] or 0
        if reached > rows or process.poll() is not None:
            return reached
        assert time.monotonic() < give_up_at, "waited in vain for rows"
        time.sleep(0.05)


def until_written(database: Path, times: int, process: "subprocess.Popen[Any]") -> None:
    """Return when the file was seen to change so many times, or the process has ended."""
    give_up_at = time.monotonic() + WAIT_S
    seen: set[int] = set()
    while len(seen) <= times and process.poll() is None:
        with suppress(FileNotFoundError):
            seen.add(database.stat().st_mtime_ns)
        assert time.monotonic() < give_up_at, "waited in vain for a change"
        time.sleep(0.002)


def stop_between_commits(database: Path, process: "subprocess.Popen[Any]") -> None:
    while True:
        process.send_signal(signal.SIGSTOP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        with suppress(DatabaseBusyError), open_reader(database, wait_s=0):
            return
        process.send_signal(signal.SIGCONT)
