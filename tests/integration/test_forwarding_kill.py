"""The whole way from a node's spool to the database, with every process on it killed at random."""

import random
import subprocess
from pathlib import Path

import pytest

from tests.integration.collector_process import (
    COLLECTORS,
    WAIT_S,
    collect,
    query,
    until,
    writer_command,
)
from tests.integration.receiver_process import held_port
from usage import boots

# In each of four runs: writer, receiver and collector die more than fifty times in all.
KILLS = {"writer": 13, "forwarder": 11, "receiver": 13, "collector": 13}
RUNS = 4
ID_LENGTH = 36
# A hundred ids: so far ahead of the test is the writer.
PIPE_BYTES = 4096


class Chain:
    """A writer, a forwarder, a receiver and a collector, each replaced when it is killed."""

    def __init__(self, folder: Path, port: int) -> None:
        self.near, self.far = folder / "near", folder / "far"
        self.database = folder / "usage.duckdb"
        self.log = (folder / "log").open("w+")
        self.told: set[str] = set()
        to = ["--to", f"http://127.0.0.1:{port}"]
        self._commands: dict[str, list[str | bytes | Path]] = {
            "writer": writer_command(self.near, segment_bytes=50_000),
            "forwarder": [*COLLECTORS, "forward", "--spool", self.near, *to, "--interval", "0.1"],
            "receiver": [*COLLECTORS, "receive", "--spool", self.far, "--port", str(port)],
            "collector": [
                *COLLECTORS, "run", "--spool", self.far, "--database", self.database,
                "--interval", "0.02",
            ],
        }  # fmt: skip
        self._processes = {name: self._start(name) for name in self._commands}

    def _start(self, name: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self._commands[name],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            pipesize=PIPE_BYTES,
        )

    def hear(self, count: int) -> None:
        """Read so many ids of stored records, which has the writer, held up by its pipe, go on."""
        stdout = self._processes["writer"].stdout
        assert stdout is not None
        for _ in range(count):
            self.told.add(stdout.readline().strip())

    def progress(self, name: str) -> object:
        """Return something that the process changes when it has done its work once."""
        if name == "receiver":
            states = sorted(self.far.glob(".receiver/*/*.json"))
            return [state.read_text() for state in states]
        spool = {"forwarder": self.near, "collector": self.far}.get(name)
        if spool is None:
            return len(self.told)
        return {(boot.folder, (boot.segments() or [0])[0]) for boot in boots(spool)}

    def until_alive(self, name: str, before: object) -> None:
        """Return when the process has done its work once since it was `before`."""

        def is_alive() -> bool:
            self.hear(2)
            return self.progress(name) != before

        until(f"the {name} does something", is_alive)

    def kill(self, name: str) -> None:
        """Kill the process as kill -9 does."""
        process = self._processes[name]
        assert process.poll() is None, f"the {name} ended by itself"
        process.kill()
        assert process.stdout is not None
        with process.stdout as stdout:
            rest = stdout.readlines()
        process.wait(WAIT_S)
        if name == "writer":
            # The last may be cut off.
            self.told |= {line.strip() for line in rest if len(line) == ID_LENGTH + 1}

    def replace(self, name: str) -> None:
        """Start another in the place of the one that was killed."""
        self._processes[name] = self._start(name)

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait(WAIT_S)
            if process.stdout is not None:
                process.stdout.close()
        self.log.close()


@pytest.mark.parametrize("seed", range(RUNS))
def test_processes_killed_at_random_fifty_times_leave_every_record_stored_once(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    victims = [name for name, kills in KILLS.items() for _ in range(kills)]
    rng.shuffle(victims)
    assert len(victims) == 50
    with held_port() as port:
        chain = Chain(tmp_path, port)
        try:
            run_to_the_end(chain, victims, rng)
        finally:
            chain.close()
    assert "Traceback" not in (tmp_path / "log").read_text()


def run_to_the_end(chain: Chain, victims: list[str], rng: random.Random) -> None:
    before: dict[str, object] = {name: chain.progress(name) for name in KILLS}
    for victim in victims:
        if rng.random() < 0.8:  # else it dies while it begins, or recovers
            chain.until_alive(victim, before[victim])
        chain.hear(rng.randint(0, 100))
        chain.kill(victim)
        before[victim] = chain.progress(victim)
        chain.replace(victim)
    chain.kill("writer")
    until("all is forwarded", lambda: boots(chain.near) == [])
    for name in ("forwarder", "receiver", "collector"):
        chain.kill(name)
    collect(chain.far, chain.database)
    assert boots(chain.far) == []
    stored = [str(row[0]) for row in query(chain.database, "SELECT record_id FROM usage_record")]
    [(torn,)] = query(chain.database, "SELECT count(*) FROM rejected_line")
    assert len(stored) == len(set(stored))
    # A writer may die after it appended a record and before it told so, or while it appends.
    deaths = KILLS["writer"] + 1
    assert chain.told <= set(stored)
    assert len(stored) - len(chain.told) + torn <= deaths
    assert len(stored) > 1_000
