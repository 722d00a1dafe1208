"""The servers under test: how each is started, asked, and known to answer rightly."""

import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil

from benchmarks.models import CLASSES, BenchmarkModel, raw_body, v2_body
from benchmarks.raw_runtime import RawRuntime
from deploy.processes import Child, ChildError

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks/peers"
HOST = "127.0.0.1"
START_S = 30.0
MAX_BATCH_SIZE = 32
ANSWER_BYTES = 4 * CLASSES


class NotMeasuredError(Exception):
    """Something that a measurement needs is missing or does not work; the message says what."""


@dataclass(frozen=True)
class Question:
    """One request, sent again and again; bytes and headers are ready for the wire."""

    path: str
    body: bytes
    headers: Mapping[str, str]

    def message(self) -> bytes:
        """Return it as an HTTP/1.1 request."""
        lines = [f"POST {self.path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True)
class Server:
    """A server that answers `question` at `port`; `child` is its first process.

    Its files are in `folder`; `spool` is where a node leaves its usage records.
    """

    name: str
    port: int
    question: Question
    child: Child
    folder: Path
    spool: Path | None = None

    def asking(self, **headers: str) -> "Server":
        """Return the same server asked with more headers; `_` in a name stands for `-`."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        question = replace(self.question, headers={**self.question.headers, **more})
        return replace(self, question=question)

    def cpu_s(self) -> float:
        """Return the CPU seconds that its processes have used so far."""
        times = [process.cpu_times() for process in self._processes()]
        return sum(time.user + time.system for time in times)

    def memory_bytes(self) -> int:
        """Return the resident memory of its processes; shared pages count in each."""
        return sum(process.memory_info().rss for process in self._processes())

    def ask(self) -> bytes:
        """Return the body of one answer; raises NotMeasuredError for any status but 200."""
        question = self.question
        connection = http.client.HTTPConnection(HOST, self.port, timeout=START_S)
        try:
            connection.request("POST", question.path, question.body, dict(question.headers))
            response = connection.getresponse()
            answer = response.read()
        except http.client.HTTPException as error:
            raise NotMeasuredError(f"{self.name} gives no HTTP answer: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            said = answer[:200].decode(errors="replace")
            raise NotMeasuredError(f"{self.name} answers {response.status}: {said}")
        return answer

    def _processes(self) -> list[psutil.Process]:
        first = psutil.Process(self.child.pid)
        return [first, *first.children(recursive=True)]


class Workplace:
    """Starts servers that keep their files under `folder`."""

    def __init__(self, folder: Path, peers_python: Path) -> None:
        self.folder = folder
        self._peers_python = peers_python
        self._started = 0

    @contextmanager
    def node(
        self, model: BenchmarkModel, *, name: str = "node", module: str = "inference_node"
    ) -> Iterator[Server]:
        """Run the node: one worker, one thread, delay 0, metering to a spool on disk.

        `module` is what `python -m` runs; all of them take the node's arguments.
        """
        folder = self._folder(name)
        model.save(folder / "models", MAX_BATCH_SIZE)
        arguments = [
            "-m", module, "serve",
            "--model-repository", str(folder / "models"),
            "--host", HOST, "--port", "0",
            "--spool", str(folder / "spool"),
        ]  # fmt: skip
        body, headers = v2_body(model)
        question = Question(f"/v2/models/{model.name}/infer", body, headers)
        child = Child(name, arguments, folder, ROOT)
        try:
            try:
                port = int(child.first_line(START_S).rpartition(":")[2])
            except ChildError as error:
                raise NotMeasuredError(str(error)) from error
            server = Server(name, port, question, child, folder, folder / "spool")
            _require_right(server, model)
            yield server
        finally:
            child.stop()

    @contextmanager
    def mosec(self, model: BenchmarkModel, wait_ms: int) -> Iterator[Server]:
        """Run mosec, where its environment is there: one worker, one thread."""
        if not self._peers_python.exists():
            raise NotMeasuredError(
                f"mosec is not installed: there is no {self._peers_python}; `make bench` makes it"
            )
        name = f"mosec, wait {wait_ms} ms"
        folder = self._folder("mosec")
        path = model.save(folder / "models", MAX_BATCH_SIZE)
        port = _free_port()
        arguments = [
            str(PEERS / "mosec_server.py"), str(path), str(MAX_BATCH_SIZE), str(wait_ms),
            "--address", HOST, "--port", str(port), "--wait", "0", "--log-level", "error",
            "--path", str(folder / "ipc"),
        ]  # fmt: skip
        question = Question("/inference", raw_body(model), {})
        child = Child("mosec", arguments, folder, ROOT, python=str(self._peers_python))
        try:
            server = Server(name, port, question, child, folder)
            _await_answer(server)
            _require_right(server, model)
            yield server
        finally:
            child.stop()

    @contextmanager
    def floor(self, kind: str, model: BenchmarkModel) -> Iterator[Server]:
        """Run `benchmarks.peers.<kind>_floor`: a fixed answer to the body of the peers."""
        port = _free_port()
        arguments = ["-m", f"benchmarks.peers.{kind}_floor", str(port), str(ANSWER_BYTES)]
        folder = self._folder(kind)
        child = Child(kind, arguments, folder, ROOT)
        try:
            question = Question("/", raw_body(model), {})
            server = Server(f"floor: {kind}, fixed answer", port, question, child, folder)
            _await_answer(server)
            yield server
        finally:
            child.stop()

    def _folder(self, name: str) -> Path:
        self._started += 1
        folder = self.folder / f"{self._started:02d}-{name}"
        folder.mkdir()
        return folder


def _require_right(server: Server, model: BenchmarkModel) -> None:
    """Raise NotMeasuredError unless the answer ends in what ONNX Runtime itself returns."""
    wanted = RawRuntime(model).answer()
    found = np.frombuffer(server.ask()[-ANSWER_BYTES:].rjust(ANSWER_BYTES, b"\0"), np.float32)
    if not np.allclose(found, wanted, rtol=1e-3, atol=1e-4):
        raise NotMeasuredError(f"{server.name} answers {found}, ONNX Runtime {wanted}")


def _await_answer(server: Server) -> None:
    give_up_at = time.monotonic() + START_S
    while True:
        try:
            server.child.require_running()
            server.ask()
        except ChildError as error:
            raise NotMeasuredError(str(error)) from error
        except (OSError, NotMeasuredError) as error:
            if time.monotonic() > give_up_at:
                raise NotMeasuredError(f"{server.name}: {error}") from error
            time.sleep(0.1)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
