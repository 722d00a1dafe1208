"""SIGINT and SIGTERM as something to ask for and to wait for, instead of an exception anywhere."""

import os
import select
import signal
from collections.abc import Sequence
from types import FrameType
from typing import Any


class StopSignal:
    """Is set by the first of `signals` after `listen`; until then they do what they did before.

    A threading.Event would not do: a handler that sets it while the same thread begins to wait for
    it waits for that thread, which is itself. Waits on the main thread only.
    """

    def __init__(self, signals: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM)) -> None:
        self._signals = signals
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)
        self._is_set = False
        self._before: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        """Take the signals from now on."""
        for number in self._signals:
            self._before[number] = signal.signal(number, self._take)

    def close(self) -> None:
        """Leave the signals to whom they were before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
        os.close(self._read)
        os.close(self._write)

    def is_set(self) -> bool:
        """Return whether one has come."""
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Wait until one comes, `seconds` at most; return whether one has come."""
        select.select([self._read], [], [], seconds)
        return self._is_set

    def _take(self, _number: int, _frame: FrameType | None) -> None:
        if not self._is_set:
            self._is_set = True
            os.write(self._write, b"\0")
