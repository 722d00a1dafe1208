"""Closed-loop load by wrk: every connection sends its next request when it has its answer."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.servers import HOST, ROOT, NotMeasuredError, Server

SCRIPT = Path(__file__).with_name("post.lua")
# What wrk may need on top of the time it was given: connecting, printing.
OVERTIME_S = 30.0


@dataclass(frozen=True)
class LoadSummary:
    """What a load tool prints when it ends: answers, how long it ran, how many went wrong."""

    requests: int
    duration_us: int
    failed: int
    p50_us: int = 0
    p99_us: int = 0

    @property
    def requests_per_s(self) -> float:
        """Answers per second of the run."""
        return self.requests / (self.duration_us / 1e6)


@dataclass(frozen=True)
class ClosedLoop:
    """What came of one run; `cpu_us_per_request` is the server's, all its processes together."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us_per_request: float
    memory_bytes: int
    failed: int


def wrk_command() -> str:
    """Return the path of wrk; raises NotMeasuredError where there is none."""
    path = shutil.which("wrk")
    if path is None:
        raise NotMeasuredError("wrk is not installed (Debian, Ubuntu: apt-get install wrk)")
    return path


def running_wrk(
    server: Server,
    connections: int,
    seconds: int,
    *,
    pause_ms: int | None = None,
    idle: bool = False,
) -> AbstractContextManager["subprocess.Popen[str]"]:
    """Run one thread of wrk that posts the server's question; `pause_ms` slows it down.

    Raises NotMeasuredError where wrk is missing.
    """
    wrk = wrk_command()
    body = server.folder / "body.bin"
    body.write_bytes(server.question.body)
    headers = [f"{name}: {value}" for name, value in server.question.headers.items()]
    return running_tool(
        [
            wrk, "--threads", "1",
            "--connections", str(connections),
            "--duration", f"{seconds}s",
            "--timeout", "10s",
            "--script", str(SCRIPT),
            *(part for header in headers for part in ("--header", header)),
            f"http://{HOST}:{server.port}{server.question.path}",
            "--", str(body), *([] if pause_ms is None else [str(pause_ms)]),
        ],
        idle=idle,
    )  # fmt: skip


@contextmanager
def running_tool(command: list[str], *, idle: bool = False) -> Iterator["subprocess.Popen[str]"]:
    """Run a load tool, an `idle` one where nobody else wants to; it does not outlive the block."""
    if idle:
        command = ["chrt", "--idle", "0", *command]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def closed_loop(server: Server, connections: int, seconds: int) -> ClosedLoop:
    """Load `server` for whole `seconds`; raises NotMeasuredError when wrk is missing or fails."""
    cpu_s = server.cpu_s()
    with running_wrk(server, connections, seconds) as process:
        summary = load_summary(process, seconds)
    cpu_s = server.cpu_s() - cpu_s
    return ClosedLoop(
        requests_per_s=summary.requests_per_s,
        p50_ms=summary.p50_us / 1e3,
        p99_ms=summary.p99_us / 1e3,
        cpu_us_per_request=cpu_s * 1e6 / summary.requests,
        memory_bytes=server.memory_bytes(),
        failed=summary.failed,
    )


def load_summary(process: "subprocess.Popen[str]", seconds: float) -> LoadSummary:
    """Return what a load tool found once it has ended, within about `seconds`.

    Raises NotMeasuredError when it failed or got no answer.
    """
    try:
        printed, _ = process.communicate(timeout=seconds + OVERTIME_S)
    except subprocess.TimeoutExpired as error:
        raise NotMeasuredError(f"no end of the load in {seconds + OVERTIME_S:g} s") from error
    last = (printed.strip().splitlines() or [""])[-1]
    try:
        summary = msgspec.json.decode(last, type=LoadSummary)
    except msgspec.MsgspecError as error:
        raise NotMeasuredError(f"the load tool failed: {last[:200]}") from error
    if not summary.requests:
        raise NotMeasuredError(f"the load tool got no answer: {last[:200]}")
    return summary
