"""Child processes that end with their parent, whatever ends it."""

import ctypes
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
STOP_S = 20.0


class ChildError(Exception):
    """A child process ended or stayed silent when it should serve; the message quotes it."""


class Child:
    """One process of the product. Its output goes to `<logs>/<name>.log` and `.out`."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        logs: Path,
        cwd: Path,
        *,
        python: str = sys.executable,
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.name = name
        self._log = logs / f"{name}.log"
        self._out = logs / f"{name}.out"
        with self._log.open("wb") as log, self._out.open("wb") as out:
            self._process = subprocess.Popen(
                [python, "-u", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                cwd=cwd,
                # A session of its own: Ctrl-C reaches the parent alone, which stops its children
                # in the order that loses nothing.
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def output(self) -> str:
        """Return what the process has printed so far."""
        return self._out.read_text(encoding="utf-8", errors="replace")

    def running(self) -> bool:
        """Tell whether the process has not ended."""
        return self._process.poll() is None

    def require_running(self) -> None:
        """Raise ChildError when the process has ended."""
        if not self.running():
            raise ChildError(
                f"{self.name} ended with exit code {self._process.returncode}: {self._last_words()}"
            )

    def first_line(self, timeout_s: float) -> str:
        """Return the first line that the process prints; raises ChildError when there is none."""
        give_up_at = time.monotonic() + timeout_s
        while "\n" not in (printed := self.output()):
            self.require_running()
            if time.monotonic() > give_up_at:
                raise ChildError(f"{self.name} printed nothing in {timeout_s:g} s")
            time.sleep(0.05)
        return printed.splitlines()[0]

    def wait(self, timeout_s: float | None = None) -> int:
        """Return the exit code once the process has ended."""
        return self._process.wait(timeout_s)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end, insist after STOP_S, return its exit code."""
        if self.running():
            self._process.send_signal(number)
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"see {self._log}"


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
