"""Equal requests at the same time: one computation, and one record that carries it."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, cast

from inference_node.errors import QueueFullError, QueueTimeoutError, StoppingError

Value = TypeVar("Value")

# Failures that are the request's own: they say nothing about the next one with the same inputs.
OWN_FAILURES = (QueueFullError, QueueTimeoutError)


@dataclass(frozen=True, slots=True)
class _Landing(Generic[Value]):
    """What a waiter gets. Never an exception of a future, which somebody would have to retrieve."""

    value: Value | None
    error: BaseException | None


@dataclass(eq=False, slots=True)
class _Waiter(Generic[Value]):
    compute: Callable[[], Coroutine[Any, Any, Value]]
    claim: Callable[[Value], None]
    landed: asyncio.Future[_Landing[Value]]


@dataclass(eq=False, slots=True)
class _Flight(Generic[Value]):
    """`waiters` in the order of their arrival; the computation that runs is `starter`'s."""

    key: Hashable
    starter: _Waiter[Value]
    waiters: dict[_Waiter[Value], None]
    task: asyncio.Task[Value] | None = None


class SingleFlight(Generic[Value]):
    """Computes once for all who ask for the same key while it is being computed.

    - A computation belongs to nobody: it goes on while anybody waits, and is cancelled when the
      last one leaves. That one leaves when it has ended; cancelled again, it cancels that again.
    - Every value is claimed exactly once: by the request that started its computation, if that has
      left by the first of those who still wait, if all have left by the last of them. The claim is
      made before anybody gets the value, so no cancellation can come in between. Whoever claims has
      the machine time on its record, and nobody else has.
    - A failure is everybody's, except one in `OWN_FAILURES`: it is that of the request that started
      the computation, and the next one in line starts its own, for all who are behind it.

    Whatever makes a request unfit to wait for another belongs into the key: its priority, or a high
    one would queue as a low one, and its time-out, or it would wait longer than it wants to.
    """

    def __init__(self) -> None:
        self._flights: dict[Hashable, _Flight[Value]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def get(
        self,
        key: Hashable,
        compute: Callable[[], Coroutine[Any, Any, Value]],
        claim: Callable[[Value], None],
    ) -> Value:
        """Return what `compute`, this one's or that of an equal request, returns for `key`.

        `claim` is called with the value if it is this request's to account for, also when it is
        cancelled at the same time. Raises what the computation raises, StoppingError where the
        computation was cancelled from outside.
        """
        waiter = _Waiter(compute, claim, asyncio.get_running_loop().create_future())
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(key, waiter, {waiter: None})
            self._start(flight)
        else:
            flight.waiters[waiter] = None
        try:
            landing = await waiter.landed
        except asyncio.CancelledError:
            await self._leave(flight, waiter)
            raise
        if landing.error is not None:
            raise landing.error
        return cast(Value, landing.value)

    async def _leave(self, flight: _Flight[Value], waiter: _Waiter[Value]) -> None:
        if waiter not in flight.waiters:
            return  # its value, or its failure, came at the same time
        if len(flight.waiters) > 1:
            del flight.waiters[waiter]
            return
        # It stays on the list: what cannot be stopped any more is its own to account for.
        self._forget(flight)
        assert flight.task is not None
        flight.task.cancel()
        try:
            await asyncio.wait([flight.task])
        except asyncio.CancelledError:
            # Waited for no longer: it comes to an end at once, with what there is to account for.
            flight.task.cancel()
            await asyncio.wait([flight.task])
            raise

    def _start(self, flight: _Flight[Value]) -> None:
        flight.task = asyncio.get_running_loop().create_task(flight.starter.compute())
        flight.task.add_done_callback(partial(self._ended, flight))

    def _ended(self, flight: _Flight[Value], task: asyncio.Task[Value]) -> None:
        if task.cancelled():
            stopping = StoppingError("the node is stopping; ask another one")
            self._land_all(flight, _Landing(None, stopping))
            return
        error = task.exception()
        if isinstance(error, OWN_FAILURES):
            self._hand_on(flight, _Landing(None, error))
        elif error is not None:
            self._land_all(flight, _Landing(None, error))
        else:
            owner = flight.starter
            if owner not in flight.waiters:
                owner = next(iter(flight.waiters))
            try:
                owner.claim(task.result())
            finally:
                self._land_all(flight, _Landing(task.result(), None))

    def _hand_on(self, flight: _Flight[Value], landing: _Landing[Value]) -> None:
        """Fail the request that started the computation; let the next in line start its own."""
        if flight.starter in flight.waiters:
            del flight.waiters[flight.starter]
            _land(flight.starter, landing)
        following = next((w for w in flight.waiters if not w.landed.done()), None)
        if following is None:
            self._forget(flight)
            flight.waiters.clear()
        else:
            flight.starter = following
            self._start(flight)

    def _land_all(self, flight: _Flight[Value], landing: _Landing[Value]) -> None:
        self._forget(flight)
        for waiter in flight.waiters:
            _land(waiter, landing)
        flight.waiters.clear()

    def _forget(self, flight: _Flight[Value]) -> None:
        # Once forgotten, another flight may have taken the key.
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]


def _land(waiter: _Waiter[Value], landing: _Landing[Value]) -> None:
    if not waiter.landed.done():  # else it is cancelled and about to leave
        waiter.landed.set_result(landing)
