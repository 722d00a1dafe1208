"""The commands of the collectors as their users start them, and what they have stored."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from store import open_reader
from tests.fixtures_usage import usage_record
from usage import encode_line

WAIT_S = 30.0
COLLECTORS = (sys.executable, "-m", "collectors")

# Writes lines like the one given, and tells each id when its line is in the spool.
_WRITER = """
import sys
from pathlib import Path
from msgspec.structs import replace
from uuid_utils import uuid7
from usage import SpoolWriter, decode_line, encode_line
boot_id = str(uuid7())
like = decode_line(sys.argv[2].encode())
out = SpoolWriter(Path(sys.argv[1]), like.node_id, boot_id, segment_bytes=int(sys.argv[3]))
for seq in range(1, 1_000_000):
    record_id = str(uuid7())
    out.append(encode_line(replace(like, record_id=record_id, boot_id=boot_id, seq=seq)))
    print(record_id, flush=True)
"""


def run(command: str, *options: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, which is no traceback."""
    finished = subprocess.run(
        [*COLLECTORS, command, *options],
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert "Traceback" not in finished.stderr, finished.stderr
    return finished


@contextmanager
def running(command: str, *options: str | Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a command; it is killed in the end."""
    with subprocess.Popen(
        [*COLLECTORS, command, *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def collect(spool: Path, database: Path) -> dict[str, int]:
    """Store everything in `spool`; return how many of what there were."""
    finished = run("once", "--spool", spool, "--database", database)
    assert finished.returncode == 0, finished.stderr
    counts: dict[str, int] = json.loads(finished.stdout)
    return counts


def query(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows that `sql` gives."""
    with open_reader(database) as connection:
        return connection.execute(sql).fetchall()


def until(condition: str, is_so: Callable[[], bool]) -> None:
    """Return when `is_so`; fail after a while, naming the `condition`."""
    give_up_at = time.monotonic() + WAIT_S
    while not is_so():
        assert time.monotonic() < give_up_at, f"waited in vain until {condition}"
        time.sleep(0.005)


def writer_command(spool: Path, segment_bytes: int) -> list[str | bytes | Path]:
    """Return the command line of a node that writes records until it is killed and tells their
    ids."""
    line = encode_line(usage_record())
    return [sys.executable, "-c", _WRITER, spool, line, str(segment_bytes)]
