"""A source is followed through every trouble that may pass, with one word for each change."""

import logging
import random
from collections.abc import Iterator
from typing import cast

import pytest

from collectors.prometheus.client import PrometheusError
from collectors.prometheus.follower import LONGEST_PAUSE_S, Follower
from collectors.prometheus.puller import Puller
from store import DatabaseBusyError, DatabaseUnusableError
from tests.unit.collectors.prometheus.test_facts import source

Turn = bool | Exception


class ScriptedPuller:
    """Does what it is told at each turn: more to come, done, or an error."""

    def __init__(self, *turns: Turn) -> None:
        self.source = source("triton", name="gpu")
        self.rounds = 0
        self._turns: Iterator[Turn] = iter(turns)

    def begin_round(self) -> None:
        self.rounds += 1

    def pull(self) -> bool:
        turn = next(self._turns)
        if isinstance(turn, Exception):
            raise turn
        return turn


def follower(*turns: Turn) -> tuple[Follower, ScriptedPuller]:
    puller = ScriptedPuller(*turns)
    follower = Follower(cast(Puller, puller), 10.0, lambda: 1000.0, random.Random(1))
    assert follower.due_s == 1000.0
    return follower, puller


def test_chunks_follow_each_other_at_once_and_rounds_after_the_interval() -> None:
    turns, puller = follower(True, True, False, False)
    pauses = []
    for _ in range(4):
        turns.turn()
        pauses.append(turns.due_s - 1000.0)
    assert pauses == [0.0, 0.0, 10.0, 10.0]
    assert puller.rounds == 2, "a round is begun anew only when the one before is done"


def test_pauses_grow_with_every_failure_and_are_forgotten_after_a_success() -> None:
    turns, puller = follower(*[PrometheusError("down")] * 12, False, PrometheusError("down"))
    pauses = []
    for _ in range(14):
        turns.turn()
        pauses.append(turns.due_s - 1000.0)
    assert pauses[0] <= 1.0
    assert LONGEST_PAUSE_S / 2 <= pauses[11] <= LONGEST_PAUSE_S
    assert pauses[12:] == [10.0, pytest.approx(0.75, abs=0.25)]
    assert puller.rounds == 14


def test_a_trouble_is_told_when_it_begins_and_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    down, busy = PrometheusError("Connection refused"), DatabaseBusyError("db: still locked")
    turns, _ = follower(down, down, busy, False, False)
    for _ in range(5):
        turns.turn()
    assert [record.getMessage() for record in caplog.records] == [
        "gpu: Connection refused; trying again",
        "gpu: db: still locked; trying again",
        "gpu: works again",
    ]


def test_a_database_that_is_none_of_ours_ends_it() -> None:
    turns, _ = follower(DatabaseUnusableError("db: damaged"))
    with pytest.raises(DatabaseUnusableError):
        turns.turn()
