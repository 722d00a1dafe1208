"""Where a pool gets a model's sessions from."""

from collections.abc import Callable
from typing import Protocol

from inference_node.errors import RequestError
from inference_node.models.session import Session


class Sessions(Protocol):
    """The sessions of one model version for one pool. Everything is called in the event loop."""

    @property
    def failure(self) -> RequestError | None:
        """Why the model cannot be loaded now: what waits for it fails with that."""

    def take(self) -> Session | None:
        """Return a session that was free and now is not, None when none is free.

        Where none is loaded, loading begins; `when_free` tells how that ended.
        """

    def borrow(self) -> Session | None:
        """Return a loaded session, free or not, for background work on a CPU; else as `take`.

        It stays as free as it was and is not given back: executing is safe from several threads
        at once, and so background work never holds what real-time work waits for.
        """

    def give_back(self, session: Session, requests: int = 1) -> None:
        """`session`, which was taken, is free again; it executed that many requests."""

    def when_free(self, callback: Callable[[], object]) -> None:
        """Call `callback`, in the loop, whenever there may be one where there was none, or there
        will be none. Not for one that is given back: who gives it back knows."""
