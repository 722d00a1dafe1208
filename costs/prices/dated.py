"""Facts that hold from an instant on, until a later fact of the same key supersedes them."""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar


class Fact(Protocol):
    """What a price file says in a row; `valid_from_us` is None without a known beginning."""

    @property
    def valid_from_us(self) -> int | None:
        """The instant from which the fact holds (microseconds, UTC)."""


Key = TypeVar("Key", bound=Hashable)
FactT = TypeVar("FactT", bound=Fact)


class Dated(Generic[Key, FactT]):
    """Facts by key and time. Raises ValueError where two of one key begin at the same instant."""

    def __init__(self, facts: Iterable[FactT], key: Callable[[FactT], Key]) -> None:
        self._facts: dict[Key, list[FactT]] = {}
        for fact in facts:
            self._facts.setdefault(key(fact), []).append(fact)
        for of, dated in self._facts.items():
            dated.sort(key=begin_us)
            if len({begin_us(fact) for fact in dated}) < len(dated):
                raise ValueError(f"{words(of)}: two prices begin at the same instant")

    def __len__(self) -> int:
        return sum(len(dated) for dated in self._facts.values())

    def __iter__(self) -> Iterator[FactT]:
        for dated in self._facts.values():
            yield from dated

    def at(self, key: Key, instant_us: int) -> FactT | None:
        """Return the fact of `key` in force at `instant_us`, None without one."""
        dated = self._facts.get(key, [])
        position = bisect_right(dated, instant_us, key=begin_us)
        return dated[position - 1] if position else None

    def of(self, key: Key) -> Sequence[FactT]:
        """Return every fact of `key`, earliest first."""
        return self._facts.get(key, [])

    def known(self) -> Iterable[Key]:
        """Return every key, in the order in which they came."""
        return self._facts.keys()

    def begins(self) -> set[int]:
        """Return every instant at which some fact begins."""
        return {begin_us(fact) for fact in self}


def begin_us(fact: Fact) -> int:
    """Return from when `fact` holds; 0 where no beginning is known."""
    return 0 if fact.valid_from_us is None else fact.valid_from_us


def words(key: object) -> str:
    """Return `key` as people read it."""
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
