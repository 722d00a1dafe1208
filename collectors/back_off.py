"""How long to wait before trying again."""

import random

FIRST_S = 0.2
LONGEST_S = 30.0


class BackOff:
    """Waits that double up to `longest_s`, each a random part of it, so that many do not come at
    once when what they wait for is back. `rng` is the source of chance."""

    def __init__(
        self, rng: random.Random, *, first_s: float = FIRST_S, longest_s: float = LONGEST_S
    ) -> None:
        self._rng = rng
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def next_s(self) -> float:
        """Return the seconds to wait now: from half of the doubled time to all of it."""
        wait_s = self._next_s * self._rng.uniform(0.5, 1.0)
        self._next_s = min(self._next_s * 2, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """Begin anew, after a success."""
        self._next_s = self._first_s
