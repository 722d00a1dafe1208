"""What a pool is defined to do, instant by instant, in plain lists: an independent model of it."""

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from usage import Priority

# Arrivals fall on multiples of 5 us, ends of service one later, ends of a delay two, deadlines
# three, callers who leave four: no two things of different kinds happen at the same instant, so
# their order is never a matter of taste.
STEP_US = 5


@dataclass(frozen=True)
class Arrival:
    """`timeout_us` and `leaves_us` count from the arrival, None for never."""

    at_us: int
    items: int
    priority: Priority
    level: int
    timeout_us: int | None
    leaves_us: int | None


@dataclass(frozen=True)
class Setting:
    arrivals: list[Arrival]
    max_batch_size: int
    preferred: list[int]
    delay_us: int
    levels: int
    timeout_action: Literal["reject", "delay"]
    service_us: int
    workers: int

    def ends_us(self, began_us: int, items: int) -> int:
        """Service takes longer the more items there are, and ends at an instant of its own."""
        least_us = began_us + self.service_us + STEP_US * items
        return least_us + (1 - least_us) % STEP_US

    def is_background(self, number: int) -> bool:
        return self.arrivals[number].priority == "batch"

    def level(self, number: int) -> int:
        arrival = self.arrivals[number]
        if arrival.priority == "batch":
            return 0
        return arrival.level or (1 if arrival.priority == "high" else self.levels)


@dataclass(frozen=True, order=True)
class Batch:
    began_us: int
    members: list[int]


@dataclass(eq=False)
class _Worker:
    """What it executes: a batch in real time, one in the background."""

    real_time: Batch | None = None
    background: Batch | None = None


@dataclass
class Reference:
    """Play a setting with `run`; then `batches`, `rejected` and `left` say what became of whom."""

    setting: Setting
    batches: list[Batch] = field(default_factory=list)
    rejected: dict[int, int] = field(default_factory=dict)
    left: list[int] = field(default_factory=list)
    _waiting: list[int] = field(default_factory=list)
    _late: list[int] = field(default_factory=list)
    _now_us: int = 0

    def run(self) -> None:
        arrivals = self.setting.arrivals
        # In the order in which they would be taken over.
        self._workers = [_Worker() for _ in range(self.setting.workers)]
        settled = 0
        while settled < len(arrivals):
            self._end()
            for number, arrival in enumerate(arrivals):
                if arrival.at_us == self._now_us:
                    self._waiting.append(number)
                    self._leave()
            self._expire()
            self._go()
            self._leave()
            settled = (
                sum(len(batch.members) for batch in self.batches)
                + len(self.rejected)
                + len(self.left)
            )
            self._now_us += 1

    def _end(self) -> None:
        ending = [
            (batch.members[0], worker, batch)
            for worker in self._workers
            for batch in (worker.real_time, worker.background)
            if batch is not None and self._ends_us(batch) == self._now_us
        ]
        for _, worker, batch in sorted(ending, key=lambda entry: entry[0]):
            if worker.real_time is batch:
                worker.real_time = None
                # Whoever was taken over last is taken over last again.
                self._workers.remove(worker)
                self._workers.append(worker)
            else:
                worker.background = None
            self._leave()

    def _ends_us(self, batch: Batch) -> int:
        items = sum(self.setting.arrivals[number].items for number in batch.members)
        return self.setting.ends_us(batch.began_us, items)

    def _expire(self) -> None:
        for number in list(self._waiting):
            arrival = self.setting.arrivals[number]
            if arrival.timeout_us is None or arrival.at_us + arrival.timeout_us != self._now_us:
                continue
            if arrival.priority == "batch" or self.setting.timeout_action == "reject":
                self._waiting.remove(number)
                self.rejected[number] = self._now_us
            else:
                self._late.append(number)

    def _go(self) -> None:
        for number in list(self._waiting):
            arrival = self.setting.arrivals[number]
            if arrival.leaves_us is not None and arrival.at_us + arrival.leaves_us == self._now_us:
                self._waiting.remove(number)
                self.left.append(number)

    def _leave(self) -> None:
        while members := self._batch(background=False):
            free = [w for w in self._workers if not w.real_time and not w.background]
            taken_over = [w for w in self._workers if not w.real_time and w.background]
            if not free and not taken_over:
                break
            (free or taken_over)[0].real_time = self._begin(members)
        while members := self._batch(background=True):
            free = [w for w in self._workers if not w.real_time and not w.background]
            if not free:
                break
            free[0].background = self._begin(members)
            self._workers.remove(free[0])
            self._workers.append(free[0])

    def _begin(self, members: list[int]) -> Batch:
        batch = Batch(self._now_us, members)
        self.batches.append(batch)
        for number in members:
            self._waiting.remove(number)
        return batch

    def _batch(self, *, background: bool) -> list[int]:
        """Return who would leave now, given a worker."""
        setting, arrivals = self.setting, self.setting.arrivals
        order = sorted(
            (number for number in self._waiting if setting.is_background(number) == background),
            key=lambda number: (
                setting.level(number),
                self._late.index(number) + 1 if number in self._late else 0,
                number,
            ),
        )
        if not order:
            return []
        sizes = list(accumulate(arrivals[number].items for number in order))
        heads = {
            (setting.level(number), number in self._late): number for number in reversed(order)
        }
        first_us = min(arrivals[number].at_us for number in heads.values())
        room = setting.max_batch_size
        if sizes[-1] < room and self._now_us < first_us + setting.delay_us:
            room = max((size for size in sizes if size in setting.preferred), default=0)
        return order[: sum(size <= room for size in sizes)]
