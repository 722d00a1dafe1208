"""How far an import is, on a terminal in one line that changes, else in a line now and then."""

import time
from collections.abc import Callable
from typing import Final, TextIO

# On a terminal, and elsewhere.
REDRAW_S: Final = 0.1
REPORT_S: Final = 5.0
BAR_CHARACTERS: Final = 24


class Progress:
    """Writes to `stream` how far it is with what is `called`. `now_s` is a clock that never goes
    back."""

    def __init__(self, stream: TextIO, now_s: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._on_terminal = stream.isatty()
        self._now_s = now_s
        self._called = ""
        self._size: int | None = 0
        self._begun_s = 0.0
        self._from = 0
        self._due_s = 0.0
        self._drawn = 0

    def begin(self, called: str, size: int | None, offset: int = 0) -> None:
        """Begin with `called`, whose first `offset` bytes of `size` are done already.

        Where the size is not known it is None.
        """
        self.clear()
        self._called, self._size, self._from = called, size, offset
        self._begun_s = self._now_s()
        self._due_s = self._begun_s + (REDRAW_S if self._on_terminal else REPORT_S)

    def show(self, offset: int, rows: int | None = None, rejected: int = 0) -> None:
        """Tell that `offset` bytes are done, and `rows` since the beginning, if it is time to."""
        now_s = self._now_s()
        if now_s < self._due_s:
            return
        self._due_s = now_s + (REDRAW_S if self._on_terminal else REPORT_S)
        line = self._line(offset, rows, rejected, now_s - self._begun_s)
        if self._on_terminal:
            self._stream.write("\r" + line.ljust(self._drawn))
            self._drawn = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def note(self, words: str) -> None:
        """Write a line of its own."""
        self.clear()
        self._stream.write(words + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Take away the line that changes."""
        if self._drawn:
            self._stream.write("\r" + " " * self._drawn + "\r")
            self._stream.flush()
            self._drawn = 0

    def _line(self, offset: int, rows: int | None, rejected: int, spent_s: float) -> str:
        if self._size is None:
            return f"{self._called}: {offset / 1e6:,.0f} MB"
        share = offset / self._size if self._size else 1.0
        parts = [f"{self._called}: {share:4.0%}"]
        if self._on_terminal:
            full = round(share * BAR_CHARACTERS)
            parts = [f"{self._called} [{'#' * full}{'.' * (BAR_CHARACTERS - full)}] {share:4.0%}"]
        if rows is not None:
            parts.append(f"{rows:,} rows")
            parts.append(f"{rows / max(spent_s, 1e-3):,.0f} rows/s")
        if rejected:
            parts.append(f"{rejected:,} rejected")
        done = offset - self._from
        if done > 0:
            parts.append(f"{_clock((self._size - offset) * spent_s / done)} left")
        return ", ".join(parts)


def _clock(seconds: float) -> str:
    whole = max(round(seconds), 0)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
