"""A real dashboard process and a real Chromium."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboard.settings import ROOT

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# No sandbox, since tests may run as root; nothing that looks for a network.
LAUNCH_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
STOP_PATIENCE_S = 10
PATIENCE_MS = 30_000  # as long as Playwright gives a click


# Not for the session: Playwright runs an event loop in this thread, and other tests run theirs.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Return Chromium; without one, skip here and fail where the tests must be complete."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        reason = f"no Chromium on the PATH (looked for {', '.join(BROWSERS)})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(LAUNCH_ARGUMENTS), headless=True
        )
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Browser) -> Iterator[Page]:
    """Return a window of its own, as wide as a small laptop's."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    yield page
    context.close()


class Server:
    """A dashboard process on a port of its own choice."""

    def __init__(self, database: Path) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "dashboard/app.py"]
        command += ["--server.headless", "true", "--server.port", "0"]
        self._process = subprocess.Popen(
            [*command, "--", "--database", str(database)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        self._output = self._process.stdout
        # What it prints later must not fill the pipe and stop it.
        self._drain = threading.Thread(target=self._output.read, daemon=True)

    def address(self) -> str:
        """Return where it listens, once it does."""
        printed = []
        for line in self._output:
            printed.append(line)
            found = re.search(r"http://127\.0\.0\.1:\d+", line)
            if found:
                self._drain.start()
                return found[0]
        pytest.fail(f"the dashboard ended at its start:\n{''.join(printed)}")

    def stop(self) -> None:
        """End the process and let go of its output."""
        self._process.terminate()
        try:
            self._process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._drain.is_alive():
            self._drain.join()
        self._output.close()


@pytest.fixture
def dashboard() -> Iterator[Callable[[Path], str]]:
    """Return a function that starts a dashboard over a database and returns its address."""
    servers: list[Server] = []

    def start(database: Path) -> str:
        servers.append(Server(database))
        return servers[-1].address()

    yield start
    for server in servers:
        server.stop()
