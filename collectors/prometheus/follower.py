"""One source followed for good: a chunk at a turn, a pause after a failure, a word about both."""

import logging
import random
from collections.abc import Callable

from collectors.back_off import BackOff
from collectors.prometheus.errors import PrometheusError
from collectors.prometheus.puller import Puller
from store import DatabaseBusyError

# After a failure; the longest is still short beside what a server keeps.
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 120.0

# What may be otherwise the next time.
TROUBLES = (PrometheusError, DatabaseBusyError)

logger = logging.getLogger(__name__)


class Follower:
    """Takes turns for `puller` when they are due, by the clock `now_s`, `interval_s` apart.

    `rng` is the source of chance, so that many do not come at once to a server that is back.
    """

    def __init__(
        self, puller: Puller, interval_s: float, now_s: Callable[[], float], rng: random.Random
    ) -> None:
        self.due_s = now_s()
        self._puller = puller
        self._interval_s = interval_s
        self._now_s = now_s
        self._back_off = BackOff(rng, first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S)
        self._trouble = ""

    def turn(self) -> None:
        """Store the next chunk, if there is one by now. Raises StoreErrors that will not pass."""
        name = self._puller.source.name
        try:
            is_behind = self._puller.pull()
        except TROUBLES as error:
            pause_s = self._back_off.next_s()
            if str(error) != self._trouble:
                logger.warning("%s: %s; trying again", name, error)
            self._trouble = str(error)
        else:
            pause_s = 0.0 if is_behind else self._interval_s
            self._back_off.reset()
            if self._trouble:
                logger.info("%s: works again", name)
            self._trouble = ""
        self.due_s = self._now_s() + pause_s
