"""`make smoke` and `make demo`: everything starts, everything is counted, nothing stays behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deploy.history import digits_curves, read_stored
from simulator.history import demo_story
from store import check_database, open_reader, read_boots

ROOT = Path(__file__).parents[2]
WAIT_S = 90.0


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "deploy.local", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def await_true(condition: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < give_up_at, f"waited in vain for {what}"
        time.sleep(0.05)


def gone(processes: list[psutil.Process]) -> bool:
    return all(not p.is_running() or p.status() == psutil.STATUS_ZOMBIE for p in processes)


@pytest.mark.timeout(240)
def test_smoke_prints_one_line_in_which_every_request_sent_is_stored() -> None:
    with start("smoke", "--seconds", "4", "--rate", "40") as process:
        printed, complaints = process.communicate(timeout=200)
    assert process.returncode == 0, complaints
    assert printed.count("\n") == 1
    found = json.loads(printed)
    assert list(found) == [
        "requests_sent", "records_stored", "records_rejected", "p50_ms", "p99_ms",
        "cost_usd", "idle_usd", "dashboard_http_status",
    ]  # fmt: skip
    assert found["requests_sent"] == found["records_stored"] > 80
    assert found["records_rejected"] == 0
    assert found["dashboard_http_status"] == 200
    assert 0 < found["p50_ms"] <= found["p99_ms"]
    assert 0 < found["idle_usd"] < found["cost_usd"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_launcher(number: signal.Signals) -> None:
    with start("smoke", "--seconds", "300") as process:
        launcher = psutil.Process(process.pid)
        await_true(lambda: len(launcher.children()) == 4, "four processes")
        children = launcher.children(recursive=True)
        os.kill(process.pid, number)
        process.communicate(timeout=WAIT_S)
        await_true(lambda: gone(children), "the end of every process")
    assert process.returncode == (-9 if number == signal.SIGKILL else 130)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_demo_can_be_stopped_while_it_makes_its_history(
    number: signal.Signals, tmp_path: Path
) -> None:
    with start("demo", "--data", str(tmp_path)) as process:
        launcher = psutil.Process(process.pid)
        progress = tmp_path / "demo/logs/history.out"
        await_true(lambda: progress.exists() and "%" in progress.read_text(), "a first stretch")
        children = launcher.children(recursive=True)
        assert len(children) == 1
        os.kill(process.pid, number)
        printed, _ = process.communicate(timeout=WAIT_S)
        await_true(lambda: gone(children), "the end of every process")
    assert process.returncode == (-9 if number == signal.SIGKILL else 0)
    assert number == signal.SIGKILL or printed.splitlines()[-1] == "stopped"
    database = tmp_path / "usage.duckdb"
    with open_reader(database) as connection:
        assert all(finding.holds for finding in check_database(connection, database))
        assert all(boot.simulated for boot in read_boots(connection))
    stored = read_stored(database, demo_story(digits_curves(ROOT / "data/models")))
    assert stored is not None, "what the next demo goes on with"


@pytest.mark.timeout(240)
def test_a_process_that_dies_ends_the_run_with_its_name() -> None:
    with start("smoke", "--seconds", "300") as process:
        launcher = psutil.Process(process.pid)
        await_true(lambda: len(launcher.children()) == 4, "four processes")
        children = launcher.children()
        [node] = [p for p in children if {"inference_node", "serve"} <= set(p.cmdline())]
        node.kill()
        _, complaints = process.communicate(timeout=WAIT_S)
        await_true(lambda: gone(children), "the end of every process")
    assert process.returncode == 1
    assert "node ended with exit code -9" in complaints
    assert "Traceback" not in complaints
