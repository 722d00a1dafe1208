"""The whole way from a node's spool to the database, with every process on it killed at random."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from store import open_reader
from tests.fixtures_usage import usage_record
from tests.integration.receiver_process import WAIT_S, collect, held_port, until
from usage import boots, encode_line

WRITER = """
import sys
from pathlib import Path
from msgspec.structs import replace
from uuid_utils import uuid7
from usage import SpoolWriter, decode_line, encode_line
boot_id = str(uuid7())
like = decode_line(sys.argv[2].encode())
out = SpoolWriter(Path(sys.argv[1]), like.node_id, boot_id, segment_bytes=50_000)
for seq in range(1, 1_000_000):
    record_id = str(uuid7())
    out.append(encode_line(replace(like, record_id=record_id, boot_id=boot_id, seq=seq)))
    print(record_id, flush=True)
"""
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
        collectors = [sys.executable, "-m", "collectors"]
        to = ["--to", f"http://127.0.0.1:{port}"]
        self._commands: dict[str, list[str | bytes | Path]] = {
            "writer": [sys.executable, "-c", WRITER, self.near, encode_line(usage_record())],
            "forwarder": [*collectors, "forward", "--spool", self.near, *to, "--interval", "0.1"],
            "receiver": [*collectors, "receive", "--spool", self.far, "--port", str(port)],
            "collector": [
                *collectors, "run", "--spool", self.far, "--database", self.database,
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
    with open_reader(chain.database) as connection:
        rows = connection.execute("SELECT record_id FROM usage_record").fetchall()
        torn = connection.execute("SELECT count(*) FROM rejected_line").fetchall()[0][0]
    stored = [str(record_id) for (record_id,) in rows]
    assert len(stored) == len(set(stored))
    # A writer may die after it appended a record and before it told so, or while it appends.
    deaths = KILLS["writer"] + 1
    assert chain.told <= set(stored)
    assert len(stored) - len(chain.told) + torn <= deaths
    assert len(stored) > 1_000
