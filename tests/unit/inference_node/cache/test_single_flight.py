"""Who computes, who waits, who pays: with people leaving at the worst moments."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference_node.cache.single_flight import SingleFlight
from inference_node.errors import (
    ExecutionError,
    QueueFullError,
    QueueTimeoutError,
    RequestError,
    StoppingError,
)
from tests.unit.inference_node.virtual_time import ManualClock, run, turns

KEY = b"k"


class Machine:
    """Computes when a test lets it; a computation that executes is not stopped by one cancel, and
    at a second one it returns what there is."""

    def __init__(self) -> None:
        self.flights: SingleFlight[int] = SingleFlight()
        self.claims: dict[int, list[str]] = {}
        self.began: list[str] = []
        self.cancelled: list[str] = []
        self.executing: set[int] = set()
        self._ends: list[asyncio.Future[int]] = []

    def ask(self, name: str, key: object = KEY) -> "asyncio.Task[int]":
        """Let `name` ask; it shall be known by its name who began and who claimed."""

        async def compute() -> int:
            number = len(self.began)
            self.began.append(name)
            end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._ends.append(end)
            for _ in range(2):
                try:
                    return await asyncio.shield(end)
                except asyncio.CancelledError:
                    if number not in self.executing:
                        self.cancelled.append(name)
                        raise
            return number

        def claim(value: int) -> None:
            self.claims.setdefault(value, []).append(name)

        return asyncio.create_task(self.flights.get(key, compute, claim), name=name)

    def end(self, number: int, failure: Exception | None = None) -> None:
        """End computation `number`, in the order of their start; its value is its number."""
        end = self._ends[number]
        if failure is None:
            end.set_result(number)
        else:
            end.set_exception(failure)
            end.exception()


def story(tell: Callable[[Machine], Awaitable[None]]) -> None:
    """Run `tell` with a new machine; nothing may be left over or be complained about."""
    complaints: list[dict[str, Any]] = []

    async def told() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
        machine = Machine()
        await tell(machine)
        await turns()
        assert len(machine.flights) == 0
        assert len(asyncio.all_tasks()) == 1
        del machine
        await turns()

    run(ManualClock(), told())
    gc.collect(0)
    assert complaints == []


async def outcome(task: "asyncio.Task[int]") -> object:
    try:
        return await task
    except asyncio.CancelledError:
        return "left"
    except RequestError as error:
        return type(error)


def test_one_computes_and_all_get_its_value() -> None:
    async def tell(machine: Machine) -> None:
        tasks = [machine.ask(name) for name in "abc"]
        await turns()
        assert machine.began == ["a"]
        machine.end(0)
        assert [await outcome(task) for task in tasks] == [0, 0, 0]
        assert machine.claims == {0: ["a"]}

    story(tell)


def test_requests_with_different_keys_do_not_wait_for_each_other() -> None:
    async def tell(machine: Machine) -> None:
        low, high = machine.ask("low", (KEY, "batch")), machine.ask("high", (KEY, "high"))
        await turns()
        machine.end(1)
        assert await outcome(high) == 1
        assert not low.done()
        machine.end(0)
        assert await outcome(low) == 0

    story(tell)


def test_one_after_the_other_both_compute() -> None:
    async def tell(machine: Machine) -> None:
        for number, name in enumerate("ab"):
            task = machine.ask(name)
            await turns()
            machine.end(number)
            assert await outcome(task) == number
        assert machine.claims == {0: ["a"], 1: ["b"]}

    story(tell)


def test_when_the_first_leaves_the_computation_goes_on_and_the_next_one_accounts_for_it() -> None:
    async def tell(machine: Machine) -> None:
        first, second, third = (machine.ask(name) for name in "abc")
        await turns()
        first.cancel()
        assert await outcome(first) == "left"
        late = machine.ask("d")
        await turns()
        assert (machine.began, machine.cancelled) == (["a"], [])
        machine.end(0)
        assert [await outcome(task) for task in (second, third, late)] == [0, 0, 0]
        assert machine.claims == {0: ["b"]}

    story(tell)


def test_when_all_leave_before_it_executes_the_computation_is_cancelled() -> None:
    async def tell(machine: Machine) -> None:
        tasks = [machine.ask(name) for name in "ab"]
        await turns()
        for task in tasks:
            task.cancel()
        assert [await outcome(task) for task in tasks] == ["left", "left"]
        assert machine.cancelled == ["a"]
        assert machine.claims == {}

    story(tell)


def test_when_all_leave_while_it_executes_the_last_one_waits_and_accounts_for_it() -> None:
    async def tell(machine: Machine) -> None:
        tasks = [machine.ask(name) for name in "ab"]
        await turns()
        machine.executing.add(0)
        for task in tasks:
            task.cancel()
            await turns()
        assert [task.done() for task in tasks] == [True, False]
        other = machine.ask("c")
        await turns()
        assert machine.began == ["a", "c"], "nobody joins what everybody left"
        machine.end(0)
        assert await outcome(tasks[1]) == "left"
        assert machine.claims == {0: ["b"]}
        machine.end(1)
        assert await outcome(other) == 1

    story(tell)


def test_the_only_one_who_leaves_at_the_moment_of_the_end_still_accounts_for_it() -> None:
    async def tell(machine: Machine) -> None:
        for turn in range(6):
            task = machine.ask(str(turn))
            await turns()
            machine.executing.add(turn)
            machine.end(turn)
            await turns(turn)
            task.cancel()
            await outcome(task)
            assert machine.claims[turn] == [str(turn)]

    story(tell)


def test_a_failure_of_the_computation_is_everybodys() -> None:
    async def tell(machine: Machine) -> None:
        tasks = [machine.ask(name) for name in "abc"]
        await turns()
        machine.end(0, ExecutionError("the model failed"))
        assert [await outcome(task) for task in tasks] == [ExecutionError] * 3
        assert machine.began == ["a"]

    story(tell)


@pytest.mark.parametrize("own", [QueueFullError, QueueTimeoutError])
def test_a_failure_of_the_first_alone_lets_the_next_in_line_compute(
    own: type[RequestError],
) -> None:
    async def tell(machine: Machine) -> None:
        tasks = [machine.ask(name) for name in "abcd"]
        await turns()
        machine.end(0, own("not now"))
        assert await outcome(tasks[0]) is own
        await turns()
        assert machine.began == ["a", "b"]
        late = machine.ask("e")
        await turns()
        machine.end(1, own("not now"))
        assert await outcome(tasks[1]) is own
        await turns()
        machine.end(2)
        assert [await outcome(task) for task in (*tasks[2:], late)] == [2, 2, 2]
        assert machine.claims == {2: ["c"]}

    story(tell)


def test_a_failure_of_one_who_left_is_nobodys() -> None:
    async def tell(machine: Machine) -> None:
        first, second = machine.ask("a"), machine.ask("b")
        await turns()
        first.cancel()
        await turns()
        machine.end(0, QueueTimeoutError("too late"))
        await turns()
        machine.end(1)
        assert await outcome(second) == 1
        assert machine.claims == {1: ["b"]}

    story(tell)


def test_a_failure_after_all_left_starts_nothing() -> None:
    async def tell(machine: Machine) -> None:
        first, second = machine.ask("a"), machine.ask("b")
        await turns()
        machine.executing.add(0)
        for task in (first, second):
            task.cancel()
            await turns()
        machine.end(0, QueueFullError("full"))
        assert await outcome(second) == "left"
        assert machine.began == ["a"]

    story(tell)


def test_a_computation_cancelled_from_outside_says_that_the_node_stops() -> None:
    async def tell(machine: Machine) -> None:
        tasks = [machine.ask(name) for name in "ab"]
        await turns()
        others = asyncio.all_tasks() - {asyncio.current_task(), *tasks}
        for task in others:
            assert task is not None
            task.cancel()
        assert [await outcome(task) for task in tasks] == [StoppingError] * 2

    story(tell)


def test_a_defect_reaches_everybody_and_the_next_request_is_served() -> None:
    async def tell(machine: Machine) -> None:
        tasks = [machine.ask(name) for name in "ab"]
        await turns()
        machine.end(0, ZeroDivisionError("a defect"))
        for task in tasks:
            with pytest.raises(ZeroDivisionError):
                await task
        again = machine.ask("c")
        await turns()
        machine.end(1)
        assert await outcome(again) == 1

    story(tell)


def test_who_is_told_to_leave_again_leaves_at_once_with_what_there_is() -> None:
    async def tell(machine: Machine) -> None:
        task = machine.ask("a")
        await turns()
        machine.executing.add(0)
        task.cancel()
        await turns()
        assert not task.done()
        task.cancel()
        assert await outcome(task) == "left"
        assert machine.claims == {0: ["a"]}

    story(tell)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "leave", "execute", "end", "full", "fail", "turn"]),
        st.integers(0, 7),
        st.integers(0, 1),
    ),
    max_size=40,
)


@settings(max_examples=120, deadline=None)
@given(ACTIONS)
def test_whatever_happens_everybody_is_answered_and_every_value_claimed_once(
    actions: list[tuple[str, int, int]],
) -> None:
    async def tell(machine: Machine) -> None:
        tasks: list[asyncio.Task[int]] = []
        left: set[int] = set()
        ended: dict[int, bool] = {}

        def end(number: int, failure: Exception | None) -> None:
            if number < len(machine._ends) and number not in ended:
                ended[number] = failure is None
                machine.executing.add(number)
                machine.end(number, failure)

        for what, number, key in actions:
            if what == "ask":
                tasks.append(machine.ask(str(len(tasks)), key))
            elif what == "leave" and number < len(tasks) and number not in left:
                left.add(number)
                tasks[number].cancel()
            elif what == "execute" and number < len(machine.began):
                machine.executing.add(number)
            elif what == "end":
                end(number, None)
            elif what == "full":
                end(number, QueueFullError("full"))
            elif what == "fail":
                end(number, ExecutionError("failed"))
            else:
                await turns(1)
        while any(not task.done() for task in tasks):
            await turns()
            for number in range(len(machine.began)):
                end(number, None)
            await turns()

        outcomes = [await outcome(task) for task in tasks]
        for number, got in enumerate(outcomes):
            assert got != "left" or number in left
            assert got is not StoppingError
        for value, claimers in machine.claims.items():
            assert len(claimers) == 1
            assert ended[value]
            claimer = outcomes[int(claimers[0])]
            assert claimer in (value, "left")
        assert {got for got in outcomes if isinstance(got, int)} <= machine.claims.keys()
        executed = {number for number, well in ended.items() if well}
        stopped = {machine.began.index(name) for name in machine.cancelled}
        assert executed - stopped == set(machine.claims)

    story(tell)
