"""A real Prometheus: with the configuration and rules of `deploy/`, or with one of the test."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.node_process import PATIENCE_S, ROOT, until

DEPLOY = ROOT / "deploy" / "prometheus"
INTERVAL = "200ms"


def program(name: str) -> str:
    """Return the path of a program of Debian's package prometheus; where it is missing, skip the
    test, or fail it in CI."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed: make services"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def promtool(*arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Run promtool; return how it ended."""
    return subprocess.run(
        [program("promtool"), *arguments],
        input=given,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


class Prometheus:
    """A running server at `url`. Made by `running_prometheus` and `running_server`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of the HTTP API, which is no error."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}{path}?{query}", timeout=PATIENCE_S) as found:
                answer = json.load(found)
        except urllib.error.HTTPError as error:
            with error:
                pytest.fail(f"{parameters}: {error.read().decode()}")
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> list[Any]:
        """Return the series that `expression` gives now."""
        found: list[Any] = self.get("/api/v1/query", query=expression)["result"]
        return found

    def rules(self) -> list[Any]:
        """Return every rule, with its query and how its last evaluation went."""
        groups = self.get("/api/v1/rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def target(self) -> Any:
        """Return the one target, with how its last scrape went."""
        [target] = self.get("/api/v1/targets")["activeTargets"]
        return target


@contextmanager
def running_prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    """Start a server that scrapes `target` (host:port) in quick succession; hand it over once it
    has done so, end it."""
    text = (DEPLOY / "prometheus.yml").read_text()
    for shipped, here in (
        ("15s", INTERVAL),
        ("10s", INTERVAL),
        ("rules.yml", str(DEPLOY / "rules.yml")),
        ("127.0.0.1:8000", target),
    ):
        assert shipped in text, shipped
        text = text.replace(shipped, here)
    with running_server(folder, text) as prometheus:
        until(lambda: prometheus.query("up"))
        yield prometheus


@contextmanager
def running_server(folder: Path, configuration: str, *options: str) -> Iterator[Prometheus]:
    """Start a server with `configuration`, and with what is in `folder`/tsdb; hand it over once it
    answers, end it."""
    config = folder / "prometheus.yml"
    config.write_text(configuration)
    log = folder / "prometheus.log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                "--web.listen-address=127.0.0.1:0",
                *options,
            ],
            stdout=stderr,
            stderr=stderr,
            cwd=folder,
        ) as process,
    ):
        try:

            def port() -> int | None:
                assert process.poll() is None, log.read_text()
                for connection in psutil.Process(process.pid).net_connections("tcp4"):
                    if connection.status == psutil.CONN_LISTEN:
                        found: int = connection.laddr.port
                        return found
                return None

            prometheus = Prometheus(f"http://127.0.0.1:{until(port)}")
            until(lambda: _is_ready(prometheus))
            yield prometheus
        finally:
            process.kill()
            process.wait()


def _is_ready(prometheus: Prometheus) -> bool:
    try:
        with urllib.request.urlopen(f"{prometheus.url}/-/ready", timeout=PATIENCE_S):
            return True
    except urllib.error.URLError:
        return False
