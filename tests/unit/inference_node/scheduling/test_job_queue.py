"""One queue: who is the head, when a batch may leave, what it takes."""

import asyncio
from typing import Any, cast

import pytest

from inference_node.models.config import BatchingConfig
from inference_node.scheduling.job import Job
from inference_node.scheduling.job_queue import AT_ONCE_US, NEVER_US, JobQueue

NOBODY = cast("asyncio.Future[Any]", None)


def filled(*items: int, preferred: tuple[int, ...] = (), most: int = 16) -> JobQueue:
    """A queue of requests of so many items, one every 10 us, with a delay of 1000 us."""
    batching = BatchingConfig(
        max_batch_size=most,
        max_queue_delay_microseconds=1000,
        preferred_batch_size=list(preferred),
    )
    queue = JobQueue(batching, levels=2)
    for number, count in enumerate(items):
        queue.add(Job({}, count, 2, 0, 10 * number, NOBODY))
    return queue


def taken(queue: JobQueue, now_us: int = 500) -> list[int]:
    return [job.items for job in queue.take(now_us)]


@pytest.mark.parametrize(
    ("items", "batch"),
    [
        ((1, 1, 1, 1), (1, 1, 1, 1)),
        ((1, 3), (1, 3)),
        ((1,) * 7, (1,) * 4),
        ((1,) * 9, (1,) * 8),
        ((3, 1, 5), (3, 1)),
        ((3, 3, 2), (3, 3, 2)),
    ],
)
def test_a_batch_of_the_largest_preferred_size_that_whole_requests_make_up_leaves_at_once(
    items: tuple[int, ...], batch: tuple[int, ...]
) -> None:
    queue = filled(*items, preferred=(4, 8))
    assert queue.leaves_at_us == AT_ONCE_US
    assert taken(queue) == list(batch)
    assert queue.items == sum(items) - sum(batch)


@pytest.mark.parametrize("items", [(1, 1, 1), (3, 3), (5,), (3, 2, 4)])
def test_requests_that_do_not_make_up_a_preferred_size_wait_for_the_delay_and_leave_together(
    items: tuple[int, ...],
) -> None:
    queue = filled(*items, preferred=(4, 8))
    assert queue.leaves_at_us == 1000
    assert taken(queue, 1000) == list(items)
    assert queue.leaves_at_us == NEVER_US
    assert queue.head is None


def test_when_the_delay_has_passed_a_preferred_size_does_not_limit_the_batch() -> None:
    assert taken(filled(*[1] * 5, preferred=(4,)), 1000) == [1] * 5


def test_a_full_batch_is_better_than_a_preferred_one() -> None:
    assert taken(filled(*[1] * 17, preferred=(4, 8))) == [1] * 16


def test_preferred_sizes_that_no_batch_can_have_do_not_matter() -> None:
    queue = filled(*[1] * 4, preferred=(5, 99), most=4)
    assert taken(queue) == [1] * 4


def test_who_leaves_from_the_front_may_let_a_preferred_batch_form() -> None:
    queue = filled(3, 4, preferred=(4,))
    assert queue.leaves_at_us == 1000
    head = queue.head
    assert head is not None
    queue.discard(head)
    assert queue.leaves_at_us == AT_ONCE_US
    assert not head.waiting
    assert taken(queue) == [4]


def test_the_delay_runs_from_the_head_that_is_left() -> None:
    queue = filled(1, 1)
    assert queue.head is not None
    queue.discard(queue.head)
    assert queue.leaves_at_us == 1010


def test_the_average_follows_what_batches_take() -> None:
    queue = filled()
    queue.executed(80)
    assert queue.average_us == 80
    queue.executed(800)
    assert 80 < queue.average_us < 800
    for _ in range(100):
        queue.executed(10)
    assert queue.average_us == pytest.approx(10, abs=1)


@pytest.mark.parametrize(
    ("items", "longest_us", "batch"),
    [
        ((1,) * 9, 5000, [1] * 5),
        ((2, 2, 2), 5000, [2, 2]),
        ((9, 1), 5000, [9]),
        ((1, 9), 500, [1]),
        ((1,) * 9, 10**9, [1] * 9),
    ],
)
def test_a_background_batch_holds_what_executes_in_its_time_and_at_least_one_request(
    items: tuple[int, ...], longest_us: int, batch: list[int]
) -> None:
    queue = filled(*items)
    assert [job.items for job in filled(*items).take(500, longest_us)] == list(items)
    queue.executed(4000, 4)
    assert [job.items for job in queue.take(500, longest_us)] == batch
    assert queue.items == sum(items) - sum(batch)
