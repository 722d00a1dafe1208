"""Several servers side by side: all of them up, measured in turn, round after round."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TypeVar

from benchmarks.servers import NotMeasuredError, Server

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class Contestants:
    """The servers that could be started, and why the others could not; stops them at the end."""

    def __init__(self) -> None:
        self.servers: dict[str, Server] = {}
        self.missing: dict[str, str] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Contestants":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def start(self, name: str, server: AbstractContextManager[Server]) -> None:
        """Start `server` and know it as `name`."""
        try:
            self.servers[name] = self._stack.enter_context(server)
        except NotMeasuredError as error:
            self.missing[name] = str(error)


def in_turn(
    measures: Mapping[Key, Callable[[int], Found]],
    rounds: int,
    before_round: Callable[[], object] = lambda: None,
) -> dict[Key, list[Found]]:
    """Call each measure with the number of every round; each round begins with the next of them.

    So what else happens on the machine is shared by all, and none always follows the same one.
    """
    found: dict[Key, list[Found]] = {key: [] for key in measures}
    keys = list(measures)
    for number in range(rounds):
        before_round()
        first = number % max(1, len(keys))
        for key in (*keys[first:], *keys[:first]):
            found[key].append(measures[key](number))
    return found


def paired_ratios(these: Sequence[float], those: Sequence[float]) -> list[float]:
    """Return this / that of every round: what slows a whole round down cancels out."""
    return [this / that for this, that in zip(these, those, strict=True)]
