"""SIGINT and SIGTERM as something to ask for and to wait for, instead of an exception anywhere."""

import contextlib
import os
import select
import signal
from collections.abc import Sequence
from types import FrameType
from typing import Any


class StopSignal:
    """Is set by the first of `signals` after `listen`; until then they do what they did before.

    A threading.Event would not do: a handler that sets it while the same thread begins to wait for
    it waits for that thread, which is itself. Nor would a handler that writes to the pipe: Python
    runs it between two instructions, and a signal that comes just before the system call that waits
    would be heard when that ends. So the interpreter writes to the pipe, at the very moment. Waits
    on the main thread only.
    """

    def __init__(self, signals: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM)) -> None:
        self._signals = signals
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        os.set_blocking(self._read, False)
        self._woken_before = -1
        self._is_set = False
        self._before: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        """Take the signals from now on."""
        self._woken_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in self._signals:
            self._before[number] = signal.signal(number, self._take)

    def close(self) -> None:
        """Leave the signals to whom they were before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._before:
            signal.set_wakeup_fd(self._woken_before)
        self._before = {}
        os.close(self._read)
        os.close(self._write)

    def is_set(self) -> bool:
        """Return whether one has come."""
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Wait until one comes, `seconds` at most; return whether one has come."""
        select.select([self._read], [], [], seconds)
        if not self._is_set:
            # Another signal of the process.
            with contextlib.suppress(BlockingIOError):
                os.read(self._read, 4096)
        return self._is_set

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        self._is_set = True
