"""Letting a thread or process run only when nobody else wants to."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache

logger = logging.getLogger(__name__)

LOWEST_NICENESS = 19


def give_way() -> None:
    """Let this thread run only when no other one wants to: SCHED_IDLE, see sched(7).

    Called first of all in a process, it holds for all its threads to come.
    """
    thread = threading.get_native_id()
    try:
        os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
        # Who waits for this processor already would not get it before the next tick: up to 10 ms.
        os.sched_yield()
    except (AttributeError, OSError):  # not Linux, or not allowed
        try:
            os.setpriority(os.PRIO_PROCESS, thread, LOWEST_NICENESS)
        except OSError as error:
            _warn_once(str(error.strerror))


@contextmanager
def giving_way() -> Iterator[None]:
    """Give way for the block, and for good where a thread may not take that back.

    What is done with the interpreter's lock held should be outside: everybody waits for a thread
    that has the lock and is not let run.
    """
    give_way()
    try:
        yield
    finally:
        # It takes CAP_SYS_NICE, and is of no use where only the niceness was lowered.
        with suppress(AttributeError, OSError):
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_OTHER, os.sched_param(0))


@cache
def _warn_once(reason: str) -> None:
    logger.warning("background work cannot be made to give way: %s", reason)
