"""The runs of a node: when it was up, and on what machine."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.history.story import (
    DAY_US,
    HOUR_US,
    MONDAY_US,
    WEEK_US,
    Machine,
    Node,
)

# A run shorter than this is none: the machine was taken away before it served anything.
SHORTEST_US = 10 * 60 * 1_000_000
# Beside the seed, so that no two kinds of chance are the same.
INTERRUPTED = 2


@dataclass(frozen=True)
class Boot:
    """One run of `node` on `machine`: it loads from `from_us` and serves from `ready_us`."""

    node: Node
    machine: Machine
    from_us: int
    to_us: int

    @property
    def ready_us(self) -> int:
        """When its workers are ready."""
        return self.from_us + self.node.loading_us


def boots_of(
    node: Node, number: int, seed: int, began_us: int, from_us: int, to_us: int
) -> list[Boot]:
    """Return the runs of `node`, the story's `number`th, within [`from_us`, `to_us`), by time.

    It is started anew at `from_us`, where its machine changes, for its shift, and after an
    interruption; the times of interruptions depend on nothing but the seed, the node and the day.
    """
    away = sorted(
        [*_interruptions(node, number, seed, from_us, to_us), *_off_shift(node, from_us, to_us)]
    )
    edges = [began_us + start_us for start_us, _ in node.machines]
    found = []
    for (_, machine), start_us, end_us in zip(
        node.machines, edges, [*edges[1:], to_us], strict=True
    ):
        if machine is None:
            continue
        free_us = max(from_us, start_us)
        end_us = min(end_us, to_us)
        for gone_us, back_us in away:
            if free_us < gone_us < end_us:
                found.append(Boot(node, machine, free_us, gone_us))
            if gone_us < end_us:
                free_us = max(free_us, min(back_us, end_us))
        found.append(Boot(node, machine, free_us, end_us))
    return [boot for boot in found if boot.to_us - boot.from_us >= SHORTEST_US + node.loading_us]


def _off_shift(node: Node, from_us: int, to_us: int) -> Iterator[tuple[int, int]]:
    """Yield when the node is switched off and when it is switched on again, by time."""
    if node.shift is None:
        return
    starts_us, ends_us = (hour * HOUR_US for hour in node.shift)
    for day_us in range(from_us // DAY_US * DAY_US, to_us, DAY_US):
        if (day_us - MONDAY_US) % WEEK_US >= 5 * DAY_US:
            yield day_us, day_us + DAY_US
        else:
            yield day_us, day_us + starts_us
            yield day_us + ends_us, day_us + DAY_US


def _interruptions(
    node: Node, number: int, seed: int, from_us: int, to_us: int
) -> Iterator[tuple[int, int]]:
    """Yield when the machine is taken away and when it is back, by time."""
    if not node.interruptions:
        return
    for day in range(from_us // DAY_US - 1, to_us // DAY_US + 1):
        rng = np.random.default_rng([seed, INTERRUPTED, number, day])
        for at in np.sort(rng.random(rng.poisson(node.interruptions * DAY_US / WEEK_US))):
            gone_us = day * DAY_US + int(at * DAY_US)
            if gone_us + node.away_us > from_us:
                yield gone_us, gone_us + node.away_us
