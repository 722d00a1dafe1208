"""New facts into the catalogue: no price that stands there is lost or changed by it.

A price that differs from the one in force becomes a row with `valid_from`: the day that its list
names as its beginning, where that is later than the beginning of the price it supersedes, or else
the day on which the list showed it. The same price again renews `as_of` and `source` alone: it is
as old as its last confirmation. What cannot be told apart from an error is left out and counted.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Generic, TypeVar

from costs.price import Machine, Price
from costs.prices.as_of import earliest_day
from costs.prices.commitment import CommitmentKey, CommitmentOffer
from costs.prices.dated import begin_us
from costs.prices.instance_type import InstanceType, TypeKey
from costs.prices.override import END_OF_TIME_US
from costs.prices.table import day_us

ADDED = "added"
CHANGED = "changed: a new row with valid_from beside the one before"
CONFIRMED = "confirmed: as_of renewed"
SAME = "already there"
AMBIGUOUS = "several prices for the same machine and day in the files"
OLDER = "older than what the catalogue has"
TAKEN = "the catalogue has another price from the same day on"
UNDATED = "as_of names no day"
OTHER_TYPE = "instance type differs from the catalogue's"

FactT = TypeVar("FactT")
DatedT = TypeVar("DatedT", Price, CommitmentOffer)
Key = TypeVar("Key", Machine, CommitmentKey)


@dataclass
class Merged(Generic[FactT]):
    """All facts after a merge, sorted; what was `done`, and what `skipped`, counted by reason."""

    facts: list[FactT] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def changed(self) -> bool:
        """Whether anything is not as before."""
        return any(count for what, count in self.done.items() if what != SAME)


def merge_prices(known: Iterable[Price], new: Iterable[Price]) -> Merged[Price]:
    """Return the prices of machines `known`, and `new` ones among them."""
    return _merge(known, new, lambda p: p.machine, lambda p: p.micro_usd_per_hour)


def merge_commitments(
    known: Iterable[CommitmentOffer], new: Iterable[CommitmentOffer]
) -> Merged[CommitmentOffer]:
    """Return the commitments `known`, and `new` ones among them."""
    return _merge(known, new, lambda c: c.key, lambda c: (c.upfront, c.recurring))


def merge_types(known: Iterable[InstanceType], new: Iterable[InstanceType]) -> Merged[InstanceType]:
    """Return the instance types `known`, and those of `new` that are not: a type never changes."""
    merged: Merged[InstanceType] = Merged()
    facts: dict[TypeKey, InstanceType] = {fact.key: fact for fact in known}
    for fact in new:
        before = facts.setdefault(fact.key, fact)
        if before is fact:
            merged.done[ADDED] += 1
        elif _equipment(before) == _equipment(fact):
            merged.done[SAME] += 1
        else:
            merged.skipped[OTHER_TYPE] += 1
    merged.facts = [facts[key] for key in sorted(facts)]
    return merged


def _equipment(of: InstanceType) -> tuple[object, ...]:
    return of.vcpus, of.memory_bytes, of.accelerator, of.accelerator_count


def _merge(
    known: Iterable[DatedT],
    new: Iterable[DatedT],
    key: Callable[[DatedT], Key],
    value: Callable[[DatedT], object],
) -> Merged[DatedT]:
    merged: Merged[DatedT] = Merged()
    facts: dict[Key, list[DatedT]] = {}
    offered: dict[Key, list[DatedT]] = {}
    for rows, by_key in ((known, facts), (new, offered)):
        for fact in rows:
            by_key.setdefault(key(fact), []).append(fact)
    for dated in facts.values():
        dated.sort(key=begin_us)
    for of, new_rows in offered.items():
        distinct: list[DatedT] = _distinct(new_rows, value, merged)
        ends = [*map(begin_us, distinct[1:]), END_OF_TIME_US]
        for fact, end_us in zip(distinct, ends, strict=False):
            _place(facts.setdefault(of, []), fact, end_us, value, merged)
    merged.facts = [fact for of in sorted(facts) for fact in facts[of]]
    return merged


def _distinct(
    offered: Iterable[DatedT], value: Callable[[DatedT], object], merged: Merged[DatedT]
) -> list[DatedT]:
    """Return what is offered for one key by its beginning, without what contradicts itself."""
    by_begin: dict[int, dict[object, DatedT]] = {}
    for fact in offered:
        by_begin.setdefault(begin_us(fact), {}).setdefault(value(fact), fact)
    for begin, values in list(by_begin.items()):
        if len(values) > 1:
            merged.skipped[AMBIGUOUS] += len(values)
            del by_begin[begin]
    return [fact for _, values in sorted(by_begin.items()) for fact in values.values()]


def _place(
    facts: list[DatedT],
    fact: DatedT,
    end_us: int,
    value: Callable[[DatedT], object],
    merged: Merged[DatedT],
) -> None:
    """Put `fact`, which its list supersedes at `end_us`, among the `facts` of its key."""
    shown = earliest_day(fact.as_of)
    if shown is None:
        merged.skipped[UNDATED] += 1
        return
    if not facts:
        facts.append(fact)
        merged.done[ADDED] += 1
        return
    # The last instant for which the list says something: nobody knows prices of the future.
    instant_us = min(max(begin_us(fact), day_us(shown)), end_us - 1)
    position = bisect_right(facts, instant_us, key=begin_us)
    current = facts[position - 1] if position else None
    if current is not None and value(current) == value(fact):
        _confirm(facts, position - 1, fact, shown, merged)
        return
    from_us = fact.valid_from_us
    if from_us is None or (current is not None and from_us <= begin_us(current)):
        from_us = day_us(shown)
    if current is not None and _is_newer(current.as_of, shown):
        merged.skipped[OLDER] += 1
    elif from_us > instant_us or (current is not None and from_us <= begin_us(current)):
        merged.skipped[TAKEN] += 1
    else:
        facts.insert(position, replace(fact, valid_from_us=from_us))
        merged.done[CHANGED if current is not None else ADDED] += 1


def _confirm(
    facts: list[DatedT], place: int, fact: DatedT, shown: date, merged: Merged[DatedT]
) -> None:
    known = earliest_day(facts[place].as_of)
    if known is None or known < shown:
        facts[place] = replace(facts[place], as_of=fact.as_of, source=fact.source)
        merged.done[CONFIRMED] += 1
    else:
        merged.done[SAME] += 1


def _is_newer(as_of: str, shown: date) -> bool:
    known = earliest_day(as_of)
    return known is not None and known > shown
