"""The costs of a window add up, whatever is grouped, filtered and shared out, on a real file."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costs import (
    TICKS_PER_USD,
    PriceBook,
    Sharing,
    parse_resources,
)
from reports import Window
from reports.costs import Stage, load_cost_spread, load_costs
from reports.costs.flows import IDLE
from store import EVERYTHING, MINUTE_US, Batch, By, ByLabel, Filter, commit
from store.period import HOUR_US
from tests.fixtures_usage import MONDAY_US, node_sample, usage_record
from tests.integration.fleet_prices import EGRESS, fleet_book
from tests.integration.usage_truth import (
    CHEAP,
    DEAR,
    MACHINES,
    PERIOD,
    Truth,
    fleet_facts,
    is_request,
    rate,
)

TRUTH = Truth(fleet_facts())
WINDOW = Window("5 minutes", PERIOD.length_us, MINUTE_US)
NOW_US = PERIOD.to_us
RESOURCES = """
[[storage]]
name = "models"
cloud = "aws"
region = "us-east-1"
storage_class = "object_standard"
gb = "40"
from = 2025-01-01
usd_per_gb_month = "0.023"

[[cache]]
name = "redis"
cloud = "aws"
region = "us-east-1"
usd_per_hour = "0.068"
from = 2025-01-01
"""


def book(resources: str = RESOURCES) -> PriceBook:
    return fleet_book(parse_resources(resources, "resources.toml"))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("costs") / "usage.duckdb"
    commit(path, fleet_facts(), now_us=1)
    return path


FILTERS = [
    EVERYTHING,
    Filter(region=("us-east-1",)),
    Filter(instance_type=("g2-standard-4",)),
    Filter(simulated=("no",)),
    Filter(tenant=("search",)),
    Filter(model=("digits",), region=("europe-west4",)),
    Filter(tenant=("nobody",)),
]
GROUPINGS = st.lists(
    st.sampled_from([*By, ByLabel("team"), ByLabel("project")]), max_size=3, unique=True
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(FILTERS), GROUPINGS, st.sampled_from(Sharing))
def test_slices_and_what_stands_apart_add_up_to_the_whole(
    database: Path, where: Filter, by: list[By | ByLabel], rule: Sharing
) -> None:
    owner = tuple("somebody" for _ in by) if rule is Sharing.OWNER else None
    found = load_costs(database, book(), WINDOW, NOW_US, where, by, rule, owner)
    assert found is not None
    parts = sum((each.cost for each in found.slices), Fraction(0)) + found.apart
    whole = found.total
    if found.sliced:
        assert parts - sum((each.borne for each in found.slices), Fraction(0)) == whole.total
        assert not found.apart
        assert not any(flow.saved for flow in found.flows)
    else:
        assert parts == whole.total
        assert whole.machine == machine_ticks(where)
        assert sum((cost for _, cost in found.bought), 0) == whole.machine
    assert sum((each.compute for each in found.slices), Fraction(0)) == whole.compute
    assert sum((each.network for each in found.slices), Fraction(0)) == whole.network
    steps = [step for _, step in found.steps]
    assert sum((step.total for step in steps), Fraction(0)) == whole.total
    if rule is Sharing.SEPARATE:
        assert not any(each.borne for each in found.slices)
    beside = whole.storage + whole.cache + whole.commitment
    if not found.sliced:
        # What no machine is stands apart under every rule.
        assert found.apart >= beside
    if rule is Sharing.OWNER and not found.sliced:
        assert found.apart == beside


def machine_ticks(where: Filter) -> int:
    total = 0
    for sample in TRUTH.ran(PERIOD, where):
        machine = MACHINES[sample.node_id]
        assert machine is not None
        total += rate(machine, sample.sampled_at_us - sample.interval_us) * sample.interval_us
    return total


@pytest.mark.parametrize("rule", [Sharing.PROPORTIONAL, Sharing.EVEN, Sharing.OWNER])
def test_a_part_of_a_group_bears_its_part_of_what_the_group_bears(
    database: Path, rule: Sharing
) -> None:
    owner = ("ranker",) if rule is Sharing.OWNER else None

    def borne(where: Filter) -> dict[object, Fraction]:
        found = load_costs(database, book(), WINDOW, NOW_US, where, [By.MODEL], rule, owner)
        assert found is not None
        return {each.key: Fraction(each.borne) for each in found.slices if each.borne}

    tenants = sorted({record.tenant for record in TRUTH.records})
    whole = borne(EVERYTHING)
    parts = [borne(Filter(tenant=(tenant,))) for tenant in tenants]
    assert len(tenants) > 2
    for key, all_of_it in whole.items():
        assert sum((part.get(key, Fraction(0)) for part in parts), Fraction(0)) == all_of_it


def test_network_is_the_bytes_of_answers_at_the_price_of_their_region(database: Path) -> None:
    found = load_costs(database, book(), WINDOW, NOW_US, EVERYTHING, [By.REGION])
    assert found is not None
    by_region = {each.key: each.network for each in found.slices}
    for machine in (CHEAP, DEAR):
        sent = sum(
            record.response_bytes
            for record in TRUTH.came(PERIOD, EVERYTHING)
            if MACHINES[record.node_id] == machine and is_request(record)
        )
        usd = Fraction(sent, 10**9) * EGRESS[machine.cloud, machine.region] / 10**6
        assert by_region[machine.region,] == usd * TICKS_PER_USD
    assert by_region[None,] == 0
    assert found.unpriced_bytes == ("bytes of machines of which nothing is known",)


def test_failed_requests_are_told_apart_and_are_a_part_of_the_direct_cost(database: Path) -> None:
    found = load_costs(database, book(), WINDOW, NOW_US, EVERYTHING, [By.TENANT])
    assert found is not None
    truth = TRUTH.ticks(
        record for record in TRUTH.came(PERIOD, EVERYTHING) if record.status >= 400
    )  # fmt: skip
    sent = sum(
        record.response_bytes * EGRESS[place.cloud, place.region]
        for record in TRUTH.came(PERIOD, EVERYTHING)
        if record.status >= 400
        and is_request(record)
        and (place := MACHINES[record.node_id]) is not None
    )
    assert found.failed == truth + sent * TICKS_PER_USD / 10**15
    assert all(0 <= each.failed <= each.direct for each in found.slices)


def test_flows_keep_what_was_bought_and_lose_only_what_is_idle(database: Path) -> None:
    found = load_costs(database, book(), WINDOW, NOW_US)
    assert found is not None
    paid = [flow for flow in found.flows if not flow.saved]
    out_of = {stage: Fraction(0) for stage in Stage}
    into = {stage: Fraction(0) for stage in Stage}
    for flow in paid:
        out_of[flow.source[0]] += flow.cost
        into[flow.target[0]] += flow.cost
    idle = sum((flow.cost for flow in paid if flow.target == (Stage.BECAME, IDLE)), Fraction(0))
    assert out_of[Stage.BOUGHT] == into[Stage.BECAME] == found.total.machine
    assert into[Stage.MODEL] == into[Stage.BECAME] - idle == found.total.compute
    assert into[Stage.TENANT] == into[Stage.MODEL]


def test_hits_save_what_a_miss_of_their_version_costs_on_average(database: Path) -> None:
    found = load_costs(database, book(), WINDOW, NOW_US)
    assert found is not None
    expected = {"caches": Fraction(0), "coalesced": Fraction(0)}
    answered = [r for r in TRUTH.came(PERIOD, EVERYTHING) if r.status < 400]
    versions = {(record.model, record.model_version) for record in answered}
    for model, version in versions:
        of = [r for r in answered if (r.model, r.model_version) == (model, version)]
        missed = [r for r in of if r.cache in ("miss", "bypass")]
        # What was executed on behalf of a request, a shadow for example, is no miss.
        executed = [
            r for r in missed if r.compute_us and is_request(r) and TRUTH.share(r) is not None
        ]
        each = TRUTH.ticks(executed) / len(executed)
        for record in filter(is_request, of):
            if record.cache == "coalesced":
                expected["coalesced"] += each
            elif record.cache in ("memory", "disk", "redis"):
                expected["caches"] += each
    assert found.savings.caches.cost == expected["caches"]
    assert found.savings.coalescing.cost == expected["coalesced"]


def test_storage_and_caches_cost_what_time_costs(database: Path) -> None:
    found = load_costs(database, book(), WINDOW, NOW_US)
    assert found is not None
    first, last = PERIOD.from_us, min(PERIOD.to_us, found.shown.covered[1])
    hours = Fraction(last - first, HOUR_US)
    assert found.total.cache == hours * Fraction(68, 1000) * TICKS_PER_USD
    # A November: 40 GB at 0.023 USD for 720 hours.
    assert found.total.storage == hours / 720 * 40 * Fraction(23, 1000) * TICKS_PER_USD
    elsewhere = load_costs(database, book(), WINDOW, NOW_US, Filter(region=("europe-west4",)))
    assert elsewhere is not None
    assert elsewhere.total.cache == elsewhere.total.storage == 0


def test_a_commitment_is_paid_for_the_hour_used_or_not(tmp_path: Path) -> None:
    reserved = replace(CHEAP, purchase_option="reserved")
    hour = MONDAY_US - MONDAY_US % HOUR_US
    samples = [
        node_sample(
            sampled_at_us=hour + n * MINUTE_US,
            interval_us=MINUTE_US,
            purchase_option="reserved",
            busy_us=0,
        )
        for n in range(31, 61)
    ]
    path = tmp_path / "usage.duckdb"
    commit(path, Batch([usage_record(arrived_at_us=hour + HOUR_US // 2)], samples), now_us=1)
    declared = f"""
    [[commitment]]
    id = "ri-1"
    cloud = "aws"
    region = "{reserved.region}"
    instance_type = "{reserved.instance_type}"
    count = 2
    term_years = 1
    from = 2025-06-01
    usd_per_hour = "0.10"
    upfront_usd = "87.60"
    [network]
    egress_to = "none"
    """
    window = Window("1 hour", HOUR_US, MINUTE_US)
    found = load_costs(path, book(declared), window, hour + HOUR_US)
    assert found is not None
    # 0.10 USD an hour and a cent of the upfront payment: half an hour of one of two was used.
    assert found.total.machine == Fraction(11, 100) / 2 * TICKS_PER_USD
    [use] = found.commitments
    assert use.paid == 2 * Fraction(11, 100) * TICKS_PER_USD
    assert (use.committed_us, use.covered_us, use.excess_us) == (2 * HOUR_US, HOUR_US // 2, 0)
    assert use.paid == use.unused + found.total.machine
    assert found.total.commitment == use.unused
    # Of the half hour before, half of what the hour did not use is paid for.
    half = load_costs(
        path, book(declared), Window("30 minutes", HOUR_US // 2, MINUTE_US), hour + HOUR_US
    )
    assert half is not None
    assert half.total.machine == found.total.machine
    [use_of_half] = half.commitments
    assert half.total.commitment == use.unused / 2 == use_of_half.unused


def test_the_cost_of_a_request_is_spread_over_bins(database: Path) -> None:
    found = load_cost_spread(database, book().machines, WINDOW, NOW_US)
    measured = [
        record
        for record in TRUTH.came(PERIOD, EVERYTHING)
        if is_request(record) and TRUTH.machine_us(record)
    ]
    assert sum(each.requests for each in found) == len(measured)
    dearest = max(TRUTH.ticks([record]) for record in measured) / TICKS_PER_USD
    # At the price of the end of the window, twice that of its begin.
    assert found[-1].from_usd <= float(dearest) * 2
    assert found[-1].to_usd >= float(dearest) / 2


def test_no_database_and_no_fact_have_no_costs(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    commit(path, Batch(), now_us=1)
    assert load_costs(path, book(), WINDOW, NOW_US) is None
    assert load_cost_spread(path, book().machines, WINDOW, NOW_US) == []


def test_an_owner_that_a_filter_leaves_out_bears_nothing_of_it(database: Path) -> None:
    found = load_costs(
        database, book(), WINDOW, NOW_US, Filter(tenant=("search",)), [By.TENANT],
        Sharing.OWNER, ("shop",),
    )  # fmt: skip
    assert found is not None
    [search] = found.slices
    assert (search.key, search.borne) == (("search",), 0)
    everything = load_costs(
        database, book(), WINDOW, NOW_US, EVERYTHING, [By.TENANT], Sharing.OWNER, ("platform",)
    )
    assert everything is not None
    assert {each.key: each.borne for each in everything.slices if each.borne} == {
        ("platform",): everything.total.idle
    }


COMMITTED = """
[[commitment]]
id = "ri-1"
cloud = "aws"
region = "us-east-1"
instance_type = "c7i.xlarge"
count = 1
term_years = 1
from = 2025-06-01
usd_per_hour = "0.10"
[network]
egress_to = "none"
"""


def reserved_machines(path: Path, *, minutes: int, instance_type: str = "c7i.xlarge") -> int:
    """Store a node that ran as reserved from a full hour on, and return that hour."""
    hour = MONDAY_US - MONDAY_US % HOUR_US
    samples = [
        node_sample(
            sampled_at_us=hour + n * MINUTE_US,
            interval_us=MINUTE_US,
            instance_type=instance_type,
            purchase_option="reserved",
        )
        for n in range(1, minutes + 1)
    ]
    commit(path, Batch(samples=samples), now_us=1)
    return hour


@pytest.mark.parametrize("window", [WINDOW, Window("1 day", 24 * HOUR_US, 24 * HOUR_US)])
def test_the_hour_that_is_not_over_counts_as_far_as_it_is_known(
    tmp_path: Path, window: Window
) -> None:
    path = tmp_path / "usage.duckdb"
    hour = reserved_machines(path, minutes=20)
    found = load_costs(path, book(COMMITTED), window, hour + 20 * MINUTE_US)
    assert found is not None
    # All of it was used since the hour began; hours before that were paid for and not used.
    [use] = found.commitments
    begin, end = found.shown.period.from_us, hour + 20 * MINUTE_US
    assert use.committed_us == end - begin
    assert use.covered_us == end - max(begin, hour)
    assert found.total.commitment == use.unused == max(0, hour - begin) * 100_000


def test_nothing_is_paid_for_beyond_the_newest_fact(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    hour = reserved_machines(path, minutes=20)
    two = book(COMMITTED.replace("count = 1", "count = 2") + RESOURCES)
    # Two minutes later there is nothing new yet: the window ends with two steps of nothing.
    found = load_costs(path, two, WINDOW, hour + 22 * MINUTE_US)
    assert found is not None
    assert [bool(step.total) for _, step in found.steps] == [True, True, True, False, False]
    [use] = found.commitments
    assert (use.committed_us, use.covered_us) == (6 * MINUTE_US, 3 * MINUTE_US)
    assert found.total.commitment == use.unused == 3 * MINUTE_US * 100_000
    assert found.total.cache == 3 * MINUTE_US * 68_000


def test_no_price_is_missed_for_what_did_not_run(tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    hour = reserved_machines(path, minutes=20, instance_type="own-server")
    declared = COMMITTED.replace("c7i.xlarge", "own-server")
    found = load_costs(path, book(declared), WINDOW, hour + 20 * MINUTE_US)
    assert found is not None
    # Nobody sells it on demand, and nothing ran beyond the commitment.
    assert found.unpriced == ()
