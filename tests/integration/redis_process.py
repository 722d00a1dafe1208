"""A real Redis in a process of its own, on a free port, that keeps nothing on disk."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.node_process import until

SERVER = "redis-server"
STARTS = 5


class RedisServer:
    """A Redis that a test may kill, freeze and start again on the same port."""

    def __init__(self, binary: str, folder: Path, port: int, arguments: tuple[str, ...]) -> None:
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._command = [
            binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
            "--dir", str(folder), *arguments,
        ]  # fmt: skip
        self._log = folder / "redis.log"
        self.process = self._start()

    def ask(self, *words: bytes) -> bytes:
        """Send one command; return what Redis sends back first."""
        parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            connection.sendall(b"*%d\r\n%s" % (len(words), parts))
            return connection.recv(65536)

    def freeze(self) -> None:
        """Let it hang: connections are accepted, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again, empty, once it was killed."""
        self.process = self._start()
        assert until(self.answers_or_ended), self._log.read_text()
        assert self.process.poll() is None, self._log.read_text()

    def answers_or_ended(self) -> bool:
        """Tell whether there is nothing to wait for any more."""
        try:
            return self.ask(b"PING")[:1] in b"+-" or self.process.poll() is not None
        except OSError:
            return self.process.poll() is not None

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, stdout=log, stderr=log)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_redis(folder: Path, *arguments: str) -> Iterator[RedisServer]:
    """Start Redis with more `arguments`, hand it over once it answers, end it.

    Without a redis-server, skip here and fail where the tests must be complete.
    """
    binary = shutil.which(SERVER)
    if binary is None:
        reason = f"no {SERVER} on the PATH"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    # Redis cannot choose a free port itself; one that was free may be taken by then.
    for _ in range(STARTS):
        server = RedisServer(binary, folder, _free_port(), arguments)
        until(server.answers_or_ended)
        if server.process.poll() is None:
            break
    else:
        pytest.fail(f"{SERVER} did not start:\n{(folder / 'redis.log').read_text()}")
    try:
        yield server
    finally:
        server.kill()
