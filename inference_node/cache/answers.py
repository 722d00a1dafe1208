"""Cache and single flight together: what a request asks before, and instead of, the batcher."""

from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from inference_node.cache.single_flight import SingleFlight
from inference_node.cache.tiers import Hit, ResponseCache
from inference_node.errors import RequestError
from inference_node.models.session import Tensor
from usage.record import CacheOutcome


class Executed(Protocol):
    """What an answer needs to know of an execution. One that failed is no exception here: it took
    machine time, which must be claimed like any other."""

    @property
    def outputs(self) -> Mapping[str, Tensor]:
        """All outputs of the model, by name."""
        ...

    @property
    def error(self) -> RequestError | None:
        """Set where the execution failed."""
        ...


Run = TypeVar("Run", bound=Executed)


@dataclass(frozen=True, slots=True)
class _Computed(Generic[Run]):
    outputs: Mapping[str, Tensor]
    outcome: CacheOutcome
    run: Run | None
    error: RequestError | None = None


class Answers(Generic[Run]):
    """Answers of one node to the models that ask for a response cache."""

    def __init__(self, cache: ResponseCache) -> None:
        self._cache = cache
        self._flights: SingleFlight[_Computed[Run]] = SingleFlight()

    def now(self, key: bytes) -> Hit | None:
        """Return the answer that memory has: for the hot path, before anything is awaited."""
        return self._cache.lookup_now(key)

    async def get(
        self,
        key: bytes,
        apart: Hashable,
        outputs: Sequence[str],
        ttl_us: int,
        execute: Callable[[], Coroutine[Any, Any, Run]],
        claim: Callable[[Run], None],
        is_current: Callable[[], bool] = lambda: True,
    ) -> tuple[Mapping[str, Tensor], CacheOutcome]:
        """Return the outputs for `key` and how they were come by: from a lower tier, from an equal
        request that was executing or that asked a tier already, or by `execute`.

        Requests that differ in `apart` do not wait for each other: priority and time-out. `claim`
        is called with an execution if its machine time belongs on this request's record, however
        this call ends: with outputs, with an error or with CancelledError. Over all calls that
        happens once for each execution. What is returned by `execute` is kept for `ttl_us` in its
        `outputs` of these names, unless it has an error, which is raised here in all who waited, or
        `is_current` tells that `key` does not stand for it any more.

        `execute` may be cancelled when all who waited have left. Where the machine works on it
        already, it waits for the end and returns nevertheless, or that machine time is nobody's.
        """
        claimed = False

        def accept(computed: _Computed[Run]) -> None:
            nonlocal claimed
            claimed = True
            if computed.run is not None:
                claim(computed.run)

        async def compute() -> _Computed[Run]:
            if not self._cache.is_memory_only:
                hit = await self._cache.lookup(key, ttl_us)
                if hit is not None:
                    return _Computed(hit.outputs, hit.tier, None)
            run = await execute()
            if run.error is not None:
                return _Computed({}, "miss", run, run.error)
            wanted = {name: run.outputs[name] for name in outputs}
            if is_current():
                self._cache.store(key, wanted, ttl_us)
            return _Computed(wanted, "miss", run)

        computed = await self._flights.get((key, apart), compute, accept)
        if computed.error is not None:
            raise computed.error
        return computed.outputs, computed.outcome if claimed else "coalesced"
