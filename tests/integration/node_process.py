"""A real node in a process of its own, on a free port, with its spool in a folder of the test."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from usage import Line, NodeSample, UsageRecord, decode_line

ROOT = Path(__file__).parents[2]
PATIENCE_S = 20.0
SERVE = (sys.executable, "-m", "inference_node", "serve")

Found = TypeVar("Found")


def until(look: Callable[[], Found | None]) -> Found:
    """Look again and again until there is something to see; return it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.005)


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case) and body of an HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The message of an error in the protocol's shape, which is checked."""
        content = self.json
        assert list(content) == ["error"], content
        assert self.headers["content-type"] == "application/json"
        message: str = content["error"]
        assert message
        return message

    @property
    def record_id(self) -> str:
        return self.headers["x-record-id"]


def _answer(response: http.client.HTTPResponse) -> Answer:
    pairs = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, pairs, response.read())


class Node:
    """A running node. Made by `running_node`."""

    def __init__(self, process: "subprocess.Popen[str]", url: str, spool: Path, log: Path) -> None:
        self.process = process
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self.spool = spool
        self._log = log

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request on a connection of its own; an iterable body goes out in chunks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            chunked = body is not None and not isinstance(body, bytes)
            connection.request(method, path, body, dict(headers or {}), encode_chunked=chunked)
            return _answer(connection.getresponse())
        finally:
            connection.close()

    def infer(self, model: str, headers: Mapping[str, str] | None = None, **inputs: Any) -> Answer:
        """Send an infer request; an input is (datatype, shape, data)."""
        tensors = [
            {"name": name, "datatype": datatype, "shape": shape, "data": data}
            for name, (datatype, shape, data) in inputs.items()
        ]
        body = json.dumps({"inputs": tensors}).encode()
        return self.ask("POST", f"/v2/models/{model}/infer", body, headers)

    def answer(self, connection: socket.socket) -> Answer:
        """Read the answer to what was sent on `connection` by hand."""
        response = http.client.HTTPResponse(connection)
        try:
            response.begin()
            return _answer(response)
        finally:
            response.close()

    def connect(self) -> socket.socket:
        """Return a connection for what no HTTP client would send."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def lines(self) -> list[Line]:
        """Return every whole line of the spool, in the order in which it was written."""
        paths = sorted(self.spool.glob("*/*/*.ndjson"))
        text = b"".join(path.read_bytes() for path in paths)
        return [decode_line(line) for line in text.splitlines(keepends=True) if line[-1:] == b"\n"]

    def records(self) -> list[UsageRecord]:
        """Return every usage record in the spool."""
        return [line for line in self.lines() if isinstance(line, UsageRecord)]

    def samples(self) -> list[NodeSample]:
        """Return every node sample in the spool."""
        return [line for line in self.lines() if isinstance(line, NodeSample)]

    def record(self, record_id: str) -> UsageRecord:
        """Wait for the record of that id and return it."""
        return until(lambda: next((r for r in self.records() if r.record_id == record_id), None))

    def memory_bytes(self) -> int:
        """Return the memory the process has in use now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def log(self) -> str:
        """Return what the node wrote to stderr so far."""
        return self._log.read_text()

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait for the end of the process; return its exit code."""
        return self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """Send SIGTERM and wait."""
        self.ask_to_stop()
        return self.wait()


@contextmanager
def running_node(
    folder: Path,
    repository: Path,
    config: str = "",
    *,
    spool: Path | None = None,
    command: tuple[str, ...] = SERVE,
) -> Iterator[Node]:
    """Start a node with `config` as its node.toml, hand it over once it serves, end it.

    Its log holds no traceback when it ends.
    """
    spool = spool or folder / "spool"
    (folder / "node.toml").write_text(config)
    arguments = {
        "--model-repository": repository,
        "--config": folder / "node.toml",
        "--spool": spool,
        "--port": 0,
    }
    log = folder / "node.log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*command, *(str(part) for pair in arguments.items() for part in pair)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            cwd=ROOT,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            assert first.startswith("serving on http://127.0.0.1:"), first + log.read_text()
            node = Node(process, first.split()[-1], spool, log)
            yield node
        finally:
            process.kill()
            process.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


def failed_start(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `serve` with `arguments`, of which one is wrong; return how it ended."""
    return subprocess.run(
        [*SERVE, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE_S,
        check=False,
    )
