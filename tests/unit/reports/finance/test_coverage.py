"""What commitments cover, hour by hour, in the order in which machines come."""

from costs import Machine
from costs.resources import Commitment
from reports.finance.coverage import Coverage
from store import NodeStep

MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "reserved")
OTHER = Machine("aws", "us-east-1", "c7g.xlarge", "reserved")
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
YEAR_US = 365 * DAY_US


def commitment(name: str, count: int, from_us: int = 0, to_us: int = YEAR_US) -> Commitment:
    return Commitment(name, MACHINE, count, 1, from_us, to_us, 100_000, 0)


def step(node: str, *hours: tuple[int, int], machine: Machine = MACHINE) -> NodeStep:
    return NodeStep(0, node, machine, tuple((h * HOUR_US, us) for h, us in hours), [])


def covered(coverage: Coverage, at: NodeStep) -> dict[str | None, int]:
    return {
        None if each is None else each.commitment_id: us for each, us in coverage.cover(at).items()
    }


def test_an_hour_is_used_or_lost_and_never_carried_over() -> None:
    coverage = Coverage([commitment("one", 1)], YEAR_US)
    # Two machines in the first hour, none in the second.
    assert covered(coverage, step("a", (0, HOUR_US))) == {"one": HOUR_US}
    assert covered(coverage, step("b", (0, HOUR_US))) == {None: HOUR_US}
    assert list(coverage.used(MACHINE, 0, 2 * HOUR_US).values()) == [HOUR_US]
    assert list(coverage.used(MACHINE, HOUR_US, 0).values()) == [0]


def test_commitments_are_filled_one_after_the_other() -> None:
    coverage = Coverage([commitment("two", 2, HOUR_US), commitment("one", 1)], YEAR_US)
    later = step("a", (2, HOUR_US), (3, HOUR_US // 2))
    assert covered(coverage, later) == {"one": HOUR_US + HOUR_US // 2}
    # Of the third hour half a machine is left of one, and all of two.
    assert covered(coverage, step("b", (2, HOUR_US), (3, HOUR_US))) == {
        "two": HOUR_US + HOUR_US // 2,
        "one": HOUR_US // 2,
    }
    assert list(coverage.used(MACHINE, 3 * HOUR_US, 3 * HOUR_US // 2).values()) == [
        HOUR_US,
        HOUR_US // 2,
    ]


def test_a_machine_of_another_kind_is_not_covered() -> None:
    coverage = Coverage([commitment("one", 9)], YEAR_US)
    assert covered(coverage, step("a", (0, HOUR_US), machine=OTHER)) == {None: HOUR_US}
    assert coverage.promised(OTHER, 0) == []


def test_nothing_is_promised_outside_the_term_or_beyond_what_is_known() -> None:
    coverage = Coverage([commitment("one", 1, DAY_US, 2 * DAY_US)], DAY_US + HOUR_US)
    assert coverage.promised(MACHINE, 0) == []
    assert len(coverage.promised(MACHINE, DAY_US)) == 1
    assert coverage.promised(MACHINE, 2 * DAY_US) == []
    [each] = coverage.promised(MACHINE, DAY_US)
    assert coverage.room(each, 0) == 0
    assert coverage.room(each, DAY_US) == HOUR_US
    assert coverage.room(each, DAY_US + HOUR_US) == 0
