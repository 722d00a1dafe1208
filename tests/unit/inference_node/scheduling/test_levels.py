"""Where a request waits, how long and with how many, by its class, its parameters, the model."""

import pytest

from inference_node.errors import InvalidRequestError, QueueFullError
from inference_node.models.config import BatchingConfig, QueuePolicy
from inference_node.scheduling.levels import Levels
from tests.unit.inference_node.scheduling.stage import Stage, play
from usage import Priority


@pytest.mark.parametrize(
    ("levels", "default", "priority", "asked", "place"),
    [
        (0, 0, "high", None, (1, -1)),
        (0, 0, "normal", None, (2, 0)),
        (0, 0, "normal", 0, (2, 0)),
        (0, 0, "normal", 1, (1, -1)),
        (0, 0, "batch", 1, (0, 1)),
        (3, 0, "high", None, (1, -1)),
        (3, 0, "normal", None, (3, 0)),
        (3, 2, "normal", 0, (2, 0)),
        (3, 2, "normal", 1, (1, -1)),
        (3, 2, "normal", 3, (3, 1)),
        (3, 2, "high", 3, (3, 1)),
        (3, 2, "high", 0, (1, -1)),
        (3, 2, "batch", None, (0, 1)),
    ],
)
def test_a_request_waits_on_the_level_it_asks_for_else_on_that_of_its_class(
    levels: int, default: int, priority: Priority, asked: int | None, place: tuple[int, int]
) -> None:
    batching = BatchingConfig(priority_levels=levels, default_priority_level=default)
    assert Levels(batching).place(priority, asked) == place


@pytest.mark.parametrize(("levels", "asked"), [(0, 2), (0, -1), (3, 4), (3, -1), (3, 2**70)])
def test_a_level_that_the_model_does_not_have_is_refused_by_name(levels: int, asked: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"priority is {asked}; accepted: 0, the default"):
        Levels(BatchingConfig(priority_levels=levels)).place("batch", asked)


@pytest.mark.parametrize(
    ("default_us", "override", "asked_us", "deadline_us"),
    [
        (0, True, None, None),
        (0, True, 0, None),
        (0, True, 40, 140),
        (0, False, 40, None),
        (50, True, None, 150),
        (50, True, 0, 150),
        (50, True, 40, 140),
        (50, True, 60, 150),
        (50, False, 40, 150),
    ],
)
def test_a_request_may_shorten_its_time_but_not_lengthen_it(
    default_us: int, override: bool, asked_us: int | None, deadline_us: int | None
) -> None:
    policy = QueuePolicy(default_timeout_microseconds=default_us, allow_timeout_override=override)
    levels = Levels(BatchingConfig(default_queue_policy=policy))
    assert levels.deadline_us(2, 100, asked_us) == deadline_us


def test_a_negative_timeout_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="timeout is -1; accepted: microseconds"):
        Levels(BatchingConfig()).deadline_us(1, 0, -1)


def test_a_level_has_its_own_policy_else_the_default_and_background_work_has_none() -> None:
    batching = BatchingConfig(
        priority_levels=2,
        default_queue_policy=QueuePolicy(default_timeout_microseconds=10),
        priority_queue_policy={"1": QueuePolicy(default_timeout_microseconds=3)},
    )
    levels = Levels(batching)
    assert [levels.deadline_us(level, 0, None) for level in (0, 1, 2)] == [None, 3, 10]


def test_a_full_level_refuses_while_the_others_take_more() -> None:
    async def story(stage: Stage) -> None:
        for value in (1, 2):
            await stage.send(value, priority="high")
        refused = await stage.send(3, priority="high", width=2)
        with pytest.raises(QueueFullError, match="2 requests of priority level 1 wait"):
            refused.result()
        lower = await stage.send(4)
        offline = await stage.send(5, priority="batch")
        assert not lower.done()
        assert not offline.done()
        waiting = {level: count for _, level, count in stage.pool.waiting_by_level()}
        assert waiting == {0: 1, 1: 2, 2: 1}

    policy = {"1": QueuePolicy(max_queue_size=2)}
    play(
        story,
        batching=BatchingConfig(
            max_batch_size=8, max_queue_delay_microseconds=1000, priority_queue_policy=policy
        ),
    )


def test_numeric_levels_order_the_queue() -> None:
    async def story(stage: Stage) -> None:
        await stage.send(0)
        await stage.started(1)
        for value, level in ((1, 3), (2, 0), (3, 2), (4, 1)):
            await stage.send(value, level=level)
        await stage.send(5, priority="high")
        await stage.finish(0)
        await stage.started(2)
        assert stage.session.batches[1] == [4, 5, 2, 3, 1]

    play(
        story,
        batching=BatchingConfig(max_batch_size=8, priority_levels=3, default_priority_level=2),
    )
