"""A request to end breaks what waits, and never a commit."""

import os
import signal
from collections.abc import Iterator

import pytest

from collectors.prometheus.stop import Stop
from store import DatabaseBusyError


@pytest.fixture
def stop() -> Iterator[Stop]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    stop = Stop()
    stop.listen()
    yield stop
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_at_once_and_only_once(stop: Stop, number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)


def test_what_is_shielded_comes_to_its_end_first(stop: Stop) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), stop.shield():
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("committed")
    assert done == ["committed"]


def test_it_is_not_lost_to_an_error_within_the_shield(stop: Stop) -> None:
    with pytest.raises(KeyboardInterrupt), stop.shield():
        os.kill(os.getpid(), signal.SIGTERM)
        raise DatabaseBusyError("still locked")
