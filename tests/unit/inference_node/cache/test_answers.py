"""What a request gets, how it was come by, and on whose record the machine time is."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from inference_node.cache.answers import Answers
from inference_node.cache.memory import MemoryTier
from inference_node.cache.tiers import ResponseCache
from inference_node.errors import ExecutionError, RequestError
from inference_node.models.session import Tensor
from tests.unit.inference_node.virtual_time import ManualClock, run, turns

KEY = b"k"
TTL_US = 1000


@dataclass(frozen=True)
class Run:
    outputs: Mapping[str, Tensor]
    error: RequestError | None = None


class Node:
    """Answers over a memory tier, and an executor that a test lets finish."""

    def __init__(self, clock: ManualClock) -> None:
        cache = ResponseCache(MemoryTier(100_000, clock), None, None, clock)
        self.answers: Answers[Run] = Answers(cache)
        self.claims: list[tuple[str, Run]] = []
        self.executions: list[asyncio.Future[Run]] = []

    async def ask(self, name: str, apart: object = None) -> tuple[Mapping[str, Tensor], str]:
        async def execute() -> Run:
            self.executions.append(asyncio.get_running_loop().create_future())
            return await self.executions[-1]

        hit = self.answers.now(KEY)
        if hit is not None:
            return hit.outputs, hit.tier
        return await self.answers.get(
            KEY, apart, ["y"], TTL_US, execute, lambda run: self.claims.append((name, run))
        )


def outputs_of(number: int) -> dict[str, Tensor]:
    return {"y": np.array([number]), "unasked": np.zeros(5)}


def test_the_first_misses_the_next_waits_the_third_hits_and_one_record_has_the_machine_time() -> (
    None
):
    clock = ManualClock()

    async def story() -> None:
        node = Node(clock)
        first, second = asyncio.create_task(node.ask("a")), asyncio.create_task(node.ask("b"))
        await turns()
        [execution] = node.executions
        execution.set_result(Run(outputs_of(7)))
        answers = [await first, await second, await node.ask("c")]
        assert [outcome for _, outcome in answers] == ["miss", "coalesced", "memory"]
        assert [outputs["y"].tolist() for outputs, _ in answers] == [[7]] * 3
        assert all(list(outputs) == ["y"] for outputs, _ in answers)
        assert node.claims == [("a", execution.result())]

    run(clock, story())


def test_who_takes_over_from_a_client_that_left_has_a_miss_on_its_record() -> None:
    clock = ManualClock()

    async def story() -> None:
        node = Node(clock)
        first, second = asyncio.create_task(node.ask("a")), asyncio.create_task(node.ask("b"))
        await turns()
        first.cancel()
        await turns()
        node.executions[0].set_result(Run(outputs_of(7)))
        assert (await second)[1] == "miss"
        assert [name for name, _ in node.claims] == ["b"]

    run(clock, story())


def test_a_failed_execution_is_claimed_raised_in_all_and_not_kept() -> None:
    clock = ManualClock()

    async def story() -> None:
        node = Node(clock)
        tasks = [asyncio.create_task(node.ask(name)) for name in "ab"]
        await turns()
        node.executions[0].set_result(Run({}, ExecutionError("the model failed")))
        for task in tasks:
            with pytest.raises(ExecutionError):
                await task
        assert [name for name, _ in node.claims] == ["a"]
        assert node.answers.now(KEY) is None

    run(clock, story())


def test_an_answer_that_expired_is_computed_again() -> None:
    clock = ManualClock()

    async def story() -> None:
        node = Node(clock)
        for number in range(2):
            task = asyncio.create_task(node.ask("a"))
            await turns()
            node.executions[number].set_result(Run(outputs_of(number)))
            outputs, outcome = await task
            assert (outputs["y"].tolist(), outcome) == ([number], "miss")
            assert (await node.ask("b"))[1] == "memory"
            clock.us += TTL_US

    run(clock, story())


def test_requests_that_stand_apart_are_executed_apart() -> None:
    clock = ManualClock()

    async def story() -> None:
        node = Node(clock)
        tasks = [asyncio.create_task(node.ask(name, name)) for name in ("high", "batch")]
        await turns()
        for number, execution in enumerate(node.executions):
            execution.set_result(Run(outputs_of(number)))
        assert [(await task)[1] for task in tasks] == ["miss", "miss"]
        assert [name for name, _ in node.claims] == ["high", "batch"]

    run(clock, story())
