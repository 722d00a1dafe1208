"""A disk on which the process is killed, or refused, at a chosen system call.

In place of the calls of `os` that change a disk stand ones that first let somebody else look at it
and then may fail. A killed process stops as it does under kill -9: with everything done until then
and half of a write. Nothing is synced, which takes time and tells a test nothing.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

BY_FILE = ("write", "fsync")
CALLS = ("mkdir", "open", "write", "fsync", "rename", "replace", "unlink")

# "refused" is one call, "broken" that and all that follow.
Fault = Literal["killed", "refused", "broken"]


class Killed(BaseException):
    """What no code of the product catches."""


class FaultyDisk:
    """Counts the calls and has them fail as it was armed to. `look` is called before each."""

    def __init__(self, look: Callable[[], None]) -> None:
        self.log: list[str] = []
        self._look = look
        self._looking = False
        self._fault: Fault | None = None
        self._left = 0

    def arm(self, fault: Fault | None, after_calls: int) -> None:
        """Have the call fail that comes after so many; None: none does."""
        self._fault, self._left = fault, after_calls

    @property
    def has_failed(self) -> bool:
        """Whether the call was reached that was to fail."""
        return self._fault is not None and self._left < 0

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Stand in for the system's calls."""
        with ExitStack() as stack:
            for name in CALLS:
                stack.enter_context(patch.object(os, name, self._wrapped(name)))
            yield

    def _wrapped(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if self._looking:
                return real(*arguments, **named)
            self._looking = True
            try:
                self._look()
            finally:
                self._looking = False
            self._note(name, arguments)
            if self._is_due():
                if name == "write":
                    real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                if self._fault == "killed":
                    raise Killed
                raise OSError(errno.ENOSPC, "No space left on device")
            return None if name == "fsync" else real(*arguments, **named)

        return call

    def _note(self, name: str, arguments: tuple[Any, ...]) -> None:
        subject = arguments[0]
        path = Path(f"/proc/self/fd/{subject}").readlink() if name in BY_FILE else Path(subject)
        self.log.append(f"{name} {path.name}")

    def _is_due(self) -> bool:
        if self._fault is None:
            return False
        self._left -= 1
        return self._left == -1 or (self._left < -1 and self._fault == "broken")
