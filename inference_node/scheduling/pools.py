"""Which pool of workers a request goes to."""

import time
from collections.abc import Mapping, Sequence

from inference_node.config import PoolRule
from inference_node.models.session import Tensor
from inference_node.scheduling.pool import Pool
from usage import Priority

# An execution that was given this long after the end of everything may never end.
PATIENCE_S = 5.0


class Pools:
    """The pools of a node by name. The first rule that fits a request decides, else it goes to the
    first pool."""

    def __init__(self, pools: Mapping[str, Pool], rules: Sequence[PoolRule]) -> None:
        self.by_name = pools
        self._first = next(iter(pools.values()))
        self._rules = [(rule, pools[rule.pool]) for rule in rules]

    @property
    def workers(self) -> int:
        """The workers of all pools."""
        return sum(pool.workers for pool in self.by_name.values())

    @property
    def waiting(self) -> int:
        """The requests that wait in all pools."""
        return sum(pool.waiting for pool in self.by_name.values())

    def choose(self, model: str, priority: Priority, inputs: Mapping[str, Tensor]) -> Pool:
        """Return the pool for a request of `priority` to `model`."""
        if not self._rules:
            return self._first
        items = len(next(iter(inputs.values())))
        size_bytes = sum(tensor.nbytes for tensor in inputs.values())
        for rule, pool in self._rules:
            if (
                rule.priority in (None, priority)
                and rule.model in (None, model)
                and items >= (rule.min_items or 0)
                and size_bytes >= (rule.min_input_bytes or 0)
            ):
                return pool
        return self._first

    def close(self) -> bool:
        """Stop all workers after what they execute now; return whether all of that has ended."""
        pools = self.by_name.values()
        for pool in pools:
            pool.stop()
        until_s = time.monotonic() + PATIENCE_S
        ended = [pool.ended(until_s) for pool in pools]
        return all(ended)
