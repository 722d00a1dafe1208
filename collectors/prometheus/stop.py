"""A request to end by SIGINT or SIGTERM: KeyboardInterrupt at once, but never within a commit."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Stop:
    """Takes the signals from `listen` on; later ones than the first change nothing."""

    def __init__(self) -> None:
        self._asked = False
        self._shielded = False

    def listen(self) -> None:
        """Take SIGINT and SIGTERM from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._take)

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Let the block come to its end first, good or bad. Raises KeyboardInterrupt then.

        In place of an error, too: whoever would try again after it must not forget the request.
        """
        self._shielded = True
        try:
            yield
        finally:
            self._shielded = False
            if self._asked:
                raise KeyboardInterrupt

    def _take(self, *_: object) -> None:
        first, self._asked = not self._asked, True
        if first and not self._shielded:
            raise KeyboardInterrupt
