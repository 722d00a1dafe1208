"""A source is followed through every trouble that may pass, with one word for each change."""

import logging
import random
from collections.abc import Iterator
from typing import cast

import pytest

from collectors.prometheus.errors import PrometheusError
from collectors.prometheus.follower import LONGEST_PAUSE_S, Follower
from collectors.prometheus.puller import Puller
from store import DatabaseBusyError, DatabaseUnusableError
from tests.unit.collectors.prometheus.test_facts import source

Turn = bool | Exception


class ScriptedPuller:
    """Does what it is told at each turn: more to come, done, or an error."""

    def __init__(self, *turns: Turn) -> None:
        self.source = source("triton", name="gpu")
        self._turns: Iterator[Turn] = iter(turns)

    def pull(self) -> bool:
        turn = next(self._turns)
        if isinstance(turn, Exception):
            raise turn
        return turn


def follower(*turns: Turn) -> Follower:
    puller = cast(Puller, ScriptedPuller(*turns))
    follower = Follower(puller, 10.0, lambda: 1000.0, random.Random(1))
    assert follower.due_s == 1000.0
    return follower


def pauses(*turns: Turn) -> list[float]:
    followed, found = follower(*turns), []
    for _ in turns:
        followed.turn()
        found.append(followed.due_s - 1000.0)
    return found


def test_chunks_follow_each_other_at_once_and_what_is_new_after_the_interval() -> None:
    assert pauses(True, True, False, False) == [0.0, 0.0, 10.0, 10.0]


def test_pauses_grow_with_every_failure_and_are_forgotten_after_a_success() -> None:
    down = PrometheusError("down")
    found = pauses(*[down] * 12, False, down)
    assert found[0] <= 1.0
    assert LONGEST_PAUSE_S / 2 <= found[11] <= LONGEST_PAUSE_S
    assert found[12:] == [10.0, pytest.approx(0.75, abs=0.25)]


def test_a_trouble_is_told_when_it_begins_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    down, busy = PrometheusError("Connection refused"), DatabaseBusyError("db: still locked")
    pauses(down, down, busy, False, False)
    assert [record.getMessage() for record in caplog.records] == [
        "gpu: Connection refused; trying again",
        "gpu: db: still locked; trying again",
        "gpu: works again",
    ]


def test_a_database_that_is_none_of_ours_ends_it() -> None:
    with pytest.raises(DatabaseUnusableError):
        follower(DatabaseUnusableError("db: damaged")).turn()
