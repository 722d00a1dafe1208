"""A store that failed is left alone for a while."""

import random
from collections.abc import Callable

from inference_node.clock import Clock

SHORTEST_PAUSE_US = 100_000
LONGEST_PAUSE_US = 10_000_000


class Breaker:
    """A circuit breaker. After a failure nobody asks for a while; then one does, for all.

    The pause doubles with every failure in a row, from `SHORTEST_PAUSE_US` to `LONGEST_PAUSE_US`,
    and is cut by up to a half at random, lest all replicas return at once. `random_share` returns a
    number in [0, 1). What an attempt from before the last failure brings is no news and is ignored.
    """

    def __init__(self, clock: Clock, random_share: Callable[[], float] = random.random) -> None:
        self._clock = clock
        self._random_share = random_share
        self._failures = 0
        self._pauses_until_us = 0
        self._trying = False
        self._attempt = 0

    @property
    def is_open(self) -> bool:
        """Whether the last attempt failed."""
        return self._failures > 0

    def enter(self) -> int | None:
        """Return the number of an attempt that must be reported back, None where none may be."""
        if self._failures:
            if self._trying or self._clock.now_us() < self._pauses_until_us:
                return None
            self._trying = True
        return self._attempt

    def succeeded(self, attempt: int) -> bool:
        """Report success; return whether it ends a time of failures."""
        if attempt != self._attempt or not self._failures:
            return False
        self._failures = 0
        self._trying = False
        return True

    def failed(self, attempt: int) -> bool:
        """Report failure; return whether it is the first one in a row."""
        if attempt != self._attempt:
            return False
        self._attempt += 1
        self._trying = False
        self._failures += 1
        pause_us = min(LONGEST_PAUSE_US, SHORTEST_PAUSE_US << min(self._failures - 1, 20))
        share = 1 - self._random_share() / 2
        self._pauses_until_us = self._clock.now_us() + round(pause_us * share)
        return self._failures == 1

    def gave_up(self, attempt: int) -> None:
        """Report that the attempt ended before anything could be said."""
        if attempt == self._attempt:
            self._trying = False
