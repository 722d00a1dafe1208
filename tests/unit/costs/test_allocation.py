"""Parts add up to the whole, to the last digit, for any prices and durations."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import (
    TICKS_PER_USD,
    BusyTime,
    Cost,
    Machine,
    MachineTime,
    direct_cost,
    machine_cost,
)

MACHINES = [Machine("aws", "us-east-1", name, "on_demand") for name in ("small", "large")]

AWKWARD = st.one_of(st.integers(1, 97), st.integers(1, 10**12))
UPTIMES = st.builds(MachineTime, st.sampled_from(MACHINES), st.integers(0, 2), AWKWARD)
BUSY = st.builds(
    BusyTime,
    machine=st.sampled_from(MACHINES),
    priced_at_us=st.integers(0, 2),
    item_us=st.integers(0, 10**12),
    batch_size=st.integers(1, 256),
    uptime_us=AWKWARD,
    capacity_us=AWKWARD,
)
PRICES = st.dictionaries(
    st.tuples(st.sampled_from(MACHINES), st.integers(0, 2)),
    st.integers(0, 98_320_000),
    min_size=6,
    max_size=6,
)


def test_a_request_costs_what_a_person_works_out_by_hand() -> None:
    # A machine at 0.36 USD/h is 1e-4 USD per second. With 2 workers ready, a worker is half of
    # it; a batch of 4 that takes 8 ms gives each request 2 ms of a worker: 1e-7 USD.
    request = BusyTime(MACHINES[0], 0, 8_000, 4, uptime_us=60_000_000, capacity_us=120_000_000)
    assert direct_cost([request], lambda _machine, _at: 360_000) / TICKS_PER_USD == Fraction(
        1, 10**7
    )


@given(uptimes=st.lists(UPTIMES, max_size=20), busy=st.lists(BUSY, max_size=20), prices=PRICES)
def test_direct_plus_idle_is_machine_cost_for_the_whole_and_for_any_cut_of_it(
    uptimes: list[MachineTime], busy: list[BusyTime], prices: dict[tuple[Machine, int], int]
) -> None:
    def rate(machine: Machine, at: int) -> int:
        return prices[machine, at]

    whole = Cost(machine_cost(uptimes, rate), direct_cost(busy, rate))
    assert whole.direct + whole.idle == whole.machine
    cuts = [
        Cost(
            machine_cost([t for t in uptimes if (t.machine, t.priced_at_us) == key], rate),
            direct_cost([t for t in busy if (t.machine, t.priced_at_us) == key], rate),
        )
        for key in prices
    ]
    assert sum(cut.machine for cut in cuts) == whole.machine
    assert sum(cut.direct for cut in cuts) == whole.direct
    assert sum(cut.idle for cut in cuts) == whole.idle
    assert direct_cost(busy, rate) == sum((direct_cost([t], rate) for t in busy), Fraction(0))


@given(
    direct=st.lists(st.fractions(0, 10**15), min_size=1, max_size=10).filter(any),
    idle=st.fractions(-(10**6), 10**15),
)
def test_fully_loaded_slices_sum_to_all_that_was_paid(
    direct: list[Fraction], idle: Fraction
) -> None:
    whole = Cost(sum(direct) + idle, sum(direct))
    assert sum(part * whole.loading for part in direct) == whole.machine


def test_idle_cost_stands_apart_when_nobody_used_the_machine() -> None:
    assert Cost(12, 0).loading == 1
    assert Cost(12, Fraction(0)).idle == 12


@pytest.mark.parametrize(("batch_size", "capacity_us"), [(0, 1), (1, 0)])
def test_busy_time_outside_any_batch_or_worker_is_refused(
    batch_size: int, capacity_us: int
) -> None:
    time = BusyTime(MACHINES[0], 0, 5, batch_size, 1, capacity_us)
    with pytest.raises(ValueError, match="batch_size is"):
        direct_cost([time], lambda _machine, _at: 1)
