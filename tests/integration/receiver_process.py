"""A receiver as its users start it, and requests to it as they are on the wire."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.fixtures_usage import BOOT_ID, NODE_ID
from tests.integration.collector_process import WAIT_S, running

BOOT_PATH = f"/v1/spool/{NODE_ID}/{BOOT_ID}"


@dataclass
class ReceiverProcess:
    """A receiver that answers at `port`."""

    process: "subprocess.Popen[str]"
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str = BOOT_PATH,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            assert response.headers["Content-Type"].startswith("application/json")
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def post(
        self, segment: int, offset: int, body: bytes, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", f"{BOOT_PATH}/{segment}/{offset}", body, named)

    def offset(self) -> int:
        """Return how far it has the segment that the one boot of these tests is in."""
        status, answer = self.ask("GET")
        assert status == 200
        offset: int = answer["offset"]
        return offset

    def stop(self) -> tuple[int, str]:
        """Stop it as a service manager does; return the exit code and what it logged."""
        self.process.terminate()
        _, log = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, log


@contextmanager
def receiving(spool: Path, *options: str, port: int = 0) -> Iterator[ReceiverProcess]:
    """Start a receiver on this machine; it is killed in the end."""
    with running("receive", "--spool", spool, "--port", str(port), *options) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        assert first.startswith("receiving on http://"), process.stderr.read()
        yield ReceiverProcess(process, int(first.rpartition(":")[2]))


@contextmanager
def held_port() -> Iterator[int]:
    """Hold a port for receivers that come and go: nobody else is given it meanwhile."""
    with socket.socket() as holder:
        # Both sides set it, so the receiver may listen where this one does not.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
