"""Tensors in, tensors out: from the cache, from an execution in flight, or from a worker."""

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from inference_node.cache.answers import Answers
from inference_node.cache.key import cache_key
from inference_node.cache.tiers import ResponseCache
from inference_node.metering.receipt import Receipt
from inference_node.models.repository import Model
from inference_node.models.session import Tensor
from inference_node.scheduling.job import Execution
from inference_node.scheduling.pools import Pools


class Executor:
    """Executes requests in the pool that the rules say, and writes on receipts how.

    Of a model with a response cache, equal requests are answered from there, or by the execution of
    an equal one that is under way.
    """

    def __init__(self, pools: Pools, cache: ResponseCache) -> None:
        self._pools = pools
        self._answers: Answers[Execution] = Answers(cache)

    async def outputs(
        self,
        model: Model,
        inputs: Mapping[str, Tensor],
        names: Sequence[str],
        receipt: Receipt,
        level: int = 0,
        timeout_us: int = 0,
    ) -> Mapping[str, Tensor]:
        """Return at least the outputs `names` of `model` for `inputs`.

        `level` and `timeout_us` are what the request asks for, 0 the default. Raises RequestErrors.
        """
        if model.config.response_cache.enable:
            return await self._cached(model, inputs, names, receipt, level, timeout_us)
        receipt.execution = execution = await self._execute(
            model, inputs, receipt, level, timeout_us
        )
        return _outputs(execution)

    async def _cached(
        self,
        model: Model,
        inputs: Mapping[str, Tensor],
        names: Sequence[str],
        receipt: Receipt,
        level: int,
        timeout_us: int,
    ) -> Mapping[str, Tensor]:
        config = model.config.response_cache
        ttl_us = round(config.ttl_seconds * 1_000_000)
        tenant = receipt.caller.tenant if config.isolate_tenants else None
        fingerprint = model.fingerprint
        key = cache_key(model.name, model.version, fingerprint, inputs, names, tenant)
        hit = self._answers.now(key)
        if hit is not None:
            receipt.cache = hit.tier
            return hit.outputs

        def claim(execution: Execution) -> None:
            receipt.cache, receipt.execution = "miss", execution

        # Unless it turns out otherwise, what it waits for is another one's.
        receipt.cache = "coalesced"
        outputs, receipt.cache = await self._answers.get(
            key,
            (receipt.caller.priority, level, timeout_us),
            names,
            ttl_us,
            lambda: self._execute(model, inputs, receipt, level, timeout_us),
            claim,
            # While it waited the model may have been loaded anew, from another file.
            lambda: model.fingerprint == fingerprint,
        )
        return outputs

    async def execute(self, model: Model, inputs: Mapping[str, Tensor], receipt: Receipt) -> None:
        """Have a worker execute `model` for nobody to see. Raises RequestErrors."""
        receipt.execution = await self._execute(model, inputs, receipt, 0, 0)
        _outputs(receipt.execution)

    def _execute(
        self,
        model: Model,
        inputs: Mapping[str, Tensor],
        receipt: Receipt,
        level: int,
        timeout_us: int,
    ) -> Coroutine[Any, Any, Execution]:
        priority = receipt.caller.priority
        return self._pools.choose(model.name, priority, inputs).execute(
            model,
            inputs,
            arrived_us=receipt.arrived_us,
            priority=priority,
            level=level,
            timeout_us=timeout_us,
        )


def _outputs(execution: Execution) -> Mapping[str, Tensor]:
    if execution.error is not None:
        raise execution.error
    return execution.outputs
