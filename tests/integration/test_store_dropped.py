"""Facts that nodes dropped are told of the period in which they were."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import MINUTE_US, Batch, Period, commit, open_reader, read_dropped
from tests.fixtures_usage import BOOT_ID, MONDAY_US, NODE_ID, SECOND_US, node_sample
from usage import NodeSample

HOUR = Period(MONDAY_US, MONDAY_US + 60 * MINUTE_US)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def sampled(
    second: int, dropped: int, boot_id: str = BOOT_ID, node_id: str = NODE_ID
) -> NodeSample:
    return node_sample(
        sampled_at_us=MONDAY_US + second * SECOND_US, records_dropped=dropped,
        boot_id=boot_id, node_id=node_id,
    )  # fmt: skip


SECOND_BOOT = "0198c0de-0000-7000-8000-000000000002"
MINUTES = [Period(MONDAY_US + n * MINUTE_US, MONDAY_US + (n + 1) * MINUTE_US) for n in range(-1, 4)]


@pytest.mark.parametrize("commits", [1, 3])
def test_dropped_facts_are_those_of_the_period_by_node_and_start_at_0_with_every_boot(
    database: Path, commits: int
) -> None:
    samples = [
        # The first sample of a boot may say that something was dropped before it.
        sampled(1, 5), sampled(30, 5), sampled(60, 9), sampled(61, 12), sampled(90, 12),
        sampled(121, 4, SECOND_BOOT), sampled(122, 4, SECOND_BOOT),
        sampled(125, 2, "0198c0de-0000-7000-8000-000000000003", "node-0"),
        sampled(126, 0, "0198c0de-0000-7000-8000-000000000004", "node-2"),
    ]  # fmt: skip
    # As a spool has them: those of a boot in order.
    size = -(-len(samples) // commits)
    for start in range(0, len(samples), size):
        commit(database, Batch([], samples[start : start + size]), now_us=1)
    with open_reader(database) as connection:
        found = [
            [(node.node_id, node.facts) for node in read_dropped(connection, minute)]
            for minute in MINUTES
        ]
        whole = [(node.node_id, node.facts) for node in read_dropped(connection, HOUR)]
    assert found == [[], [("node-1", 9)], [("node-1", 3)], [("node-0", 2), ("node-1", 4)], []]
    assert whole == [("node-0", 2), ("node-1", 16)]


@settings(deadline=None, max_examples=12)
@given(steps=st.lists(st.integers(0, 3), min_size=1, max_size=12), seconds=st.integers(1, 50))
def test_what_was_dropped_in_each_minute_sums_to_the_last_count(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], seconds: int
) -> None:
    database = tmp_path_factory.mktemp("dropped") / "usage.duckdb"
    counts = list(itertools.accumulate(steps))
    samples = [sampled((n + 1) * seconds, count) for n, count in enumerate(counts)]
    commit(database, Batch([], samples), now_us=1)
    with open_reader(database) as connection:
        found = [
            read_dropped(connection, Period(from_us, from_us + MINUTE_US))
            for from_us in range(HOUR.from_us, HOUR.to_us, MINUTE_US)
        ]
    assert sum(node.facts for nodes in found for node in nodes) == counts[-1]
