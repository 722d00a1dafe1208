"""Nobody finds a cent: for any prices, durations, cuts and rules, the parts are the whole.

Facts are adversarial on purpose: primes for capacities, prices of 0 and of 98 USD an hour, requests
of a microsecond, millions of equal ones, periods cut at months' and daylight saving's edges.
"""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from costs import (
    TICKS_PER_USD,
    AtRest,
    BusyTime,
    BytePrice,
    Commitment,
    Components,
    Machine,
    MachineTime,
    Sharing,
    Ticks,
    Transfer,
    cache_cost,
    commitment_use,
    direct_cost,
    machine_cost,
    share_idle,
    split_usd,
    storage_cost,
    transfer_cost,
)
from costs.resources import CacheService

EXAMPLES = 10_000
thorough = settings(max_examples=EXAMPLES, deadline=None)

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
BERLIN = ZoneInfo("Europe/Berlin")
MACHINES = [
    Machine("aws", "us-east-1", "small", option) for option in ("on_demand", "spot", "reserved")
]
ON_DEMAND, SPOT, RESERVED = MACHINES
TENANTS = ("shop", "search", "internal")
PRIMES = (1, 2, 3, 7, 97, 7_919, 104_729, 1_000_003, 2_147_483_647)


def instant(*at: int, zone: ZoneInfo | None = None) -> int:
    return int(datetime(*at, tzinfo=zone or UTC).timestamp()) * 1_000_000  # type: ignore[arg-type, misc]


# Where summer begins and ends, months, a leap day, the turn of a year.
EDGES = [
    instant(2026, 3, 29, zone=BERLIN),
    instant(2026, 3, 30, zone=BERLIN),
    instant(2026, 10, 25, zone=BERLIN),
    instant(2026, 10, 26, zone=BERLIN),
    instant(2026, 11, 1),
    instant(2026, 12, 1),
    instant(2027, 1, 1),
    instant(2028, 2, 29),
    instant(2028, 3, 1),
]


class Fleet:
    """What happened, made up from a seed: machine time, requests of tenants, bytes."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.rng = rng
        self.prices = {
            (machine, at): rng.choice((0, 1, rng.randrange(98_320_000)))
            for machine in MACHINES
            for at in (0, 1)
        }
        self.byte_prices = [
            BytePrice(
                Fraction(rng.randrange(200_000), rng.choice(PRIMES)), rng.choice((10**9, 2**30))
            )
            for _ in range(2)
        ]
        self.uptimes = [
            MachineTime(
                rng.choice(MACHINES), rng.randrange(2), rng.choice(PRIMES) * rng.randrange(99)
            )
            for _ in range(rng.randrange(5))
        ]
        self.busy: list[tuple[str, BusyTime]] = []
        self.moved: list[tuple[str, Transfer]] = []
        for _ in range(rng.randrange(7)):
            tenant = rng.choice(TENANTS)
            # Requests of a microsecond each, or millions of equal ones, as a rollup has them.
            item_us = rng.choice((0, 1, rng.randrange(10**6), rng.randrange(10**15)))
            share = rng.choice(PRIMES), rng.choice(PRIMES)
            self.busy.append((tenant, BusyTime(
                rng.choice(MACHINES), rng.randrange(2), item_us, rng.randrange(1, 257), *share
            )))  # fmt: skip
            bytes_moved = rng.choice((0, 1, 2**48)), rng.randrange(10**9)
            self.moved.append((tenant, Transfer("aws", "us-east-1", 0, *bytes_moved)))

    def rate(self, machine: Machine, at_us: int) -> int:
        return self.prices[machine, at_us]

    def byte_rate(self, *_: object) -> tuple[BytePrice, BytePrice]:
        return self.byte_prices[0], self.byte_prices[1]

    def components(self, tenants: Iterable[str] = TENANTS) -> Components:
        """Return compute and network of `tenants`, and the idle time of all machines."""
        own = set(tenants)
        everything = direct_cost((time for _, time in self.busy), self.rate)
        return Components(
            compute=direct_cost((t for tenant, t in self.busy if tenant in own), self.rate),
            network=transfer_cost((t for tenant, t in self.moved if tenant in own), self.byte_rate),
            idle=machine_cost(self.uptimes, self.rate) - everything,
        )


def split(rng: random.Random, time: BusyTime) -> list[BusyTime]:
    """Return `time` as two rows, as if its minute were cut in two or its node restarted within."""
    part = rng.randint(0, time.item_us)
    return [replace(time, item_us=part), replace(time, item_us=time.item_us - part)]


@thorough
@given(st.integers(0, 2**63))
def test_tenants_components_and_any_split_of_rows_add_up_to_the_whole(seed: int) -> None:
    fleet = Fleet(seed)
    whole = fleet.components()
    each = [fleet.components([tenant]) for tenant in TENANTS]
    assert sum((part.compute for part in each), Fraction(0)) == whole.compute
    assert sum((part.network for part in each), Fraction(0)) == whole.network
    assert whole.machine == machine_cost(fleet.uptimes, fleet.rate)
    assert whole.total == (
        whole.compute + whole.network + whole.storage + whole.cache + whole.idle + whole.commitment
    )
    cut = [part for _, time in fleet.busy for part in split(fleet.rng, time)]
    assert direct_cost(cut, fleet.rate) == whole.compute
    added: dict[tuple[object, ...], int] = defaultdict(int)
    for time in cut:
        key = time.machine, time.priced_at_us, time.batch_size, time.uptime_us, time.capacity_us
        added[key] += time.item_us
    together = [
        BusyTime(machine, at, item_us, batch, uptime, capacity)  # type: ignore[arg-type]
        for (machine, at, batch, uptime, capacity), item_us in added.items()
    ]
    assert direct_cost(together, fleet.rate) == whole.compute


def pools_of(
    fleet: Fleet,
) -> tuple[dict[Machine, Ticks], dict[str, dict[Machine, Ticks]]]:
    """Return what each kind of machine cost without an owner, and what tenants caused on which."""
    idle: dict[Machine, Ticks] = defaultdict(Fraction)
    for ran in fleet.uptimes:
        idle[ran.machine] += machine_cost([ran], fleet.rate)
    direct: dict[str, dict[Machine, Ticks]] = defaultdict(dict)
    for tenant, time in fleet.busy:
        cost = direct_cost([time], fleet.rate)
        idle[time.machine] -= cost
        own = direct[tenant]
        own[time.machine] = own.get(time.machine, Fraction(0)) + cost
    return dict(idle), dict(direct)


@thorough
@given(st.integers(0, 2**63), st.sampled_from(Sharing))
def test_whoever_bears_idle_time_all_of_it_is_borne_or_stands_apart(
    seed: int, rule: Sharing
) -> None:
    fleet = Fleet(seed)
    idle, direct = pools_of(fleet)
    assert sum(idle.values(), Fraction(0)) == fleet.components().idle
    owner = fleet.rng.choice((*TENANTS, "platform"))
    shares = share_idle(idle, direct, rule, owner if rule is Sharing.OWNER else None)
    whole = sum(idle.values(), Fraction(0))
    assert sum(shares.of.values(), Fraction(0)) + shares.apart == whole
    unused = [cost for pool, cost in idle.items() if not any(pool in on for on in direct.values())]
    if rule is Sharing.SEPARATE:
        assert shares.apart == whole
    if rule is Sharing.OWNER:
        assert shares.of[owner] == whole
    if rule is Sharing.EVEN:
        assert shares.apart == sum(unused, Fraction(0))
    if rule is Sharing.PROPORTIONAL:
        # On each pool, fully loaded cost is direct cost times one factor, the same for all.
        for tenant, on in direct.items():
            loaded = sum(
                (
                    cost * (1 + idle[pool] / sum(other.get(pool, 0) for other in direct.values()))
                    for pool, cost in on.items()
                    if cost
                ),
                Fraction(0),
            )
            assert shares.of[tenant] + sum(on.values(), Fraction(0)) == loaded


@thorough
@given(st.integers(0, 2**63), st.sampled_from((2, 6, 12)))
def test_a_file_of_decimals_sums_to_the_rounded_whole(seed: int, places: int) -> None:
    fleet = Fleet(seed)
    whole = fleet.components()
    parts: list[Ticks] = [whole.compute, whole.network, whole.idle]
    written = split_usd(parts, places)
    exact = Fraction(sum(parts, Fraction(0)), TICKS_PER_USD)
    # As fractions: a sum of decimals keeps 28 digits, and these may have more.
    total = sum(map(Fraction, written), Fraction(0))
    assert abs(total - exact) <= Fraction(1, 2 * 10**places)
    for amount, part in zip(written, parts, strict=True):
        assert abs(Fraction(amount) - Fraction(part, TICKS_PER_USD)) < Fraction(1, 10**places)


def standing(seed: int, edge: int, from_us: int, to_us: int) -> tuple[Ticks, Ticks]:
    rng = random.Random(seed)
    begin = edge + rng.choice((-90, -1, 1)) * rng.randrange(DAY_US)
    end = rng.choice((None, begin + rng.randrange(1, 90 * DAY_US)))
    changes = sorted(edge + rng.randrange(-40, 40) * DAY_US // 2 for _ in range(3))
    prices = {
        at: BytePrice(rng.randrange(10**6), rng.choice((10**9, 2**30))) for at in (0, *changes)
    }
    own = rng.choice((None, BytePrice(rng.randrange(10**6), 10**9)))
    stored = AtRest("m", "aws", "r", "c", rng.randrange(2**45), begin, end, own)
    service = CacheService("redis", "aws", "r", rng.randrange(10**8), begin, end)

    def rate(_cloud: str, _region: str, _class: str, at_us: int) -> BytePrice:
        return prices[max(at for at in prices if at <= at_us)]

    return (
        storage_cost(stored, rate, changes, from_us, to_us),
        cache_cost(service, from_us, to_us),
    )


@thorough
@given(
    st.integers(0, 2**63),
    st.sampled_from(EDGES),
    st.lists(
        st.integers(-HOUR_US, HOUR_US) | st.integers(-40 * DAY_US, 40 * DAY_US),
        min_size=2, max_size=6, unique=True,
    ).map(sorted),
)  # fmt: skip
def test_what_time_costs_adds_up_over_any_cuts_of_a_period(
    seed: int, edge: int, offsets: list[int]
) -> None:
    cuts = [edge + offset for offset in offsets]
    whole = standing(seed, edge, cuts[0], cuts[-1])
    parts = [standing(seed, edge, begin, end) for begin, end in pairwise(cuts)]
    assert sum((storage for storage, _ in parts), Fraction(0)) == whole[0]
    assert sum(cache for _, cache in parts) == whole[1]


@thorough
@given(st.integers(0, 2**63))
def test_commitments_are_paid_whole_used_or_not(seed: int) -> None:
    rng = random.Random(seed)
    start = rng.choice(EDGES) // HOUR_US * HOUR_US
    hours = rng.randrange(1, 5)
    promised = [
        Commitment(
            f"ri-{n}", RESERVED, rng.randrange(1, 4), 1,
            begin := start + rng.randrange(-3, 5) * HOUR_US, begin + rng.randrange(1, 8) * HOUR_US,
            rng.randrange(10**6), rng.randrange(10**9),
        )
        for n in range(rng.randrange(1, 3))
    ]  # fmt: skip
    # The last hour may not be over yet.
    end = start + hours * HOUR_US - rng.choice((0, rng.randrange(HOUR_US)))
    ran = {
        (RESERVED, start + n * HOUR_US): rng.choice((0, rng.randrange(5 * HOUR_US)))
        for n in range(hours)
    }
    reserved, on_demand = sorted(rng.randrange(10**6) for _ in range(2))

    def rate(machine: Machine, _at: int) -> int:
        return on_demand if machine == ON_DEMAND else reserved

    uses = commitment_use(promised, ran, rate, start, end)
    overlap = [
        (c, max(0, min(c.to_us, end) - max(c.from_us, start))) for c in promised
    ]  # fmt: skip
    owed = sum((c.effective_micro_usd_per_hour * c.count * us for c, us in overlap), Fraction(0))
    if not uses:
        assert not owed
        return
    [use] = uses
    assert use.paid == owed
    assert use.paid == use.unused + reserved * use.covered_us
    assert use.covered_us + use.excess_us == sum(ran.values())
    assert use.covered_us <= use.committed_us == sum(c.count * us for c, us in overlap)
    assert use.excess == (on_demand - reserved) * use.excess_us
    # Hour by hour: what one hour did not use is no help to the next.
    by_hour = [
        commitment_use(promised, ran, rate, at, min(at + HOUR_US, end))
        for at in range(start, end, HOUR_US)
    ]
    assert sum((u.unused for hour in by_hour for u in hour), Fraction(0)) == use.unused
