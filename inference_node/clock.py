"""One clock for every fact of a boot: wall time that never steps."""

import time


class Clock:
    """Microseconds UTC, read from the wall once and advanced by the monotonic clock since."""

    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_us(self) -> int:
        """Return the time now."""
        return (time.monotonic_ns() + self._offset_ns) // 1000
