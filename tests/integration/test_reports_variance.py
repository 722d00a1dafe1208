"""Why the cost of a period is not that of another, from a real file: exact, and told with cause."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from costs import Catalogue, Components, Machine, Price, Ticks
from costs.variance import Cause, Kind
from reports.pricing import Pricing
from reports.variance import VarianceReport, cause_words, read_variance
from store import (
    EVERYTHING,
    MINUTE_US,
    Batch,
    By,
    Filter,
    Grouping,
    Key,
    Period,
    commit,
    open_reader,
)
from tests.fixtures_usage import MONDAY_US, SECOND_US, node_sample, usage_record
from tests.integration.test_reports_costs import book as fleet_book
from tests.integration.usage_truth import (
    CHANGE_US,
    MACHINES,
    RATES,
    Truth,
    fleet_facts,
    is_request,
    rate,
    worker_us,
)

TRUTH = Truth(fleet_facts())
FLEET_PRICES = fleet_book().machines
# The prices of all machines double between the two.
BEFORE = Period(MONDAY_US, CHANGE_US)
AFTER = Period(CHANGE_US, CHANGE_US + BEFORE.length_us)
MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
MICRO_USD_PER_HOUR = 178_500
MINUTE_COST = MINUTE_US * MICRO_USD_PER_HOUR
FIRST = Period(MONDAY_US, MONDAY_US + MINUTE_US)
SECOND = Period(FIRST.to_us, FIRST.to_us + MINUTE_US)
DIMENSIONS = (By.MODEL, By.TENANT, By.REGION, By.INSTANCE_TYPE)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("variance") / "usage.duckdb"
    commit(path, fleet_facts(), now_us=1)
    return path


def catalogue(*prices: tuple[int, int | None]) -> Catalogue:
    return Catalogue(
        [Price(MACHINE, micro, since, "2026-01-01", "test") for micro, since in prices]
    )


PLAIN = catalogue((MICRO_USD_PER_HOUR, None))
NOTHING = Components()


def minute(start_us: int, *work: tuple[str, int, int], **node: object) -> Batch:
    """Return a minute of a node of two workers, and (model, requests, ms each) in it."""
    batch = Batch()
    for model, requests, compute_ms in work:
        for _ in range(requests):
            seq = start_us // SECOND_US % 10**6 * 1000 + len(batch.records)
            batch.records.append(
                usage_record(
                    record_id=f"0198c0de-0000-7000-8000-{seq:012x}",
                    seq=seq,
                    batch_id=seq,
                    model=model,
                    arrived_at_us=start_us + len(batch.records),
                    compute_us=compute_ms * 1000,
                    cache="miss" if compute_ms else "memory",
                    batch_size=1 if compute_ms else 0,
                )
            )
    batch.samples.append(
        node_sample(sampled_at_us=start_us + MINUTE_US, interval_us=MINUTE_US, **node)
    )
    return batch


def stored(path: Path, *batches: Batch) -> Path:
    database = path / "usage.duckdb"
    for batch in batches:
        commit(database, batch, now_us=1)
    return database


def explained(
    database: Path,
    prices: Catalogue = PLAIN,
    before: Period = FIRST,
    after: Period = SECOND,
    where: Filter = EVERYTHING,
    beside: tuple[Components, Components] = (NOTHING, NOTHING),
    by: Sequence[Grouping] = DIMENSIONS,
) -> VarianceReport:
    with open_reader(database) as connection:
        found = read_variance(connection, before, after, Pricing(prices), where, beside, by)
    assert sum(found.variance.lines.values(), Fraction(0)) == found.variance.change
    return found


def test_drivers_new_and_retired_models_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    # Before: 12 s of digits and 12 s of letters. After: 24 s of digits and 8 s of faces.
    found = explained(
        stored(
            tmp_path,
            minute(FIRST.from_us, ("digits", 4, 3000), ("letters", 2, 6000)),
            minute(SECOND.from_us, ("digits", 8, 3000), ("faces", 2, 4000)),
        )
    )
    lines = found.variance.lines
    assert found.variance.before == found.variance.after == MINUTE_COST
    assert (lines["new"], lines["retired"]) == (MINUTE_COST / 4, -MINUTE_COST / 2)
    # Digits had a half of the machine, and has three quarters of it now.
    mean = MINUTE_COST / 4 / math.log(1.5)
    assert float(lines["volume"]) == pytest.approx(mean * math.log(10 / 6), rel=1e-12)
    assert float(lines["mix"]) == pytest.approx(mean * math.log(0.8 / (4 / 6)), rel=1e-12)
    assert lines["work_per_request"] == 0
    assert float(lines["utilization"]) == pytest.approx(mean * math.log(24 / 32), rel=1e-12)
    assert lines["price"] == 0
    movers = [(m.key, m.change, m.cause) for m in found.movers[By.MODEL]]
    assert movers == [
        (("letters",), -MINUTE_COST / 2, Cause.RETIRED),
        (("digits",), MINUTE_COST / 4, Cause.REQUESTS),
        (("faces",), MINUTE_COST / 4, Cause.NEW),
    ]
    words = [cause_words(m) for m in found.movers[By.MODEL]]
    assert words == ["not there any more", "100.0% more requests (4 to 8)", "not there before"]
    assert found.movers[By.REGION] == (), "the region costs what it did"


def test_a_price_that_changes_between_equal_periods_is_the_only_driver(tmp_path: Path) -> None:
    work = ("digits", 5, 3000), ("letters", 2, 700)
    database = stored(tmp_path, minute(FIRST.from_us, *work), minute(SECOND.from_us, *work))
    found = explained(database, catalogue((100_000, None), (250_000, SECOND.from_us)))
    moved = {line: ticks for line, ticks in found.variance.lines.items() if ticks}
    assert moved == {"price": 150_000 * MINUTE_US}
    (tenant,) = found.movers[By.TENANT]
    assert (tenant.cause, tenant.factor_before, tenant.factor_after) == (
        Cause.PRICE,
        Fraction(50_000),
        Fraction(125_000),
    )
    assert cause_words(tenant) == "150.0% dearer machines (0.0500 to 0.1250 USD per worker-hour)"


def test_more_work_per_request_at_the_same_load_of_machines(tmp_path: Path) -> None:
    # As busy as before, with half the requests: each takes twice as long.
    found = explained(
        stored(
            tmp_path,
            minute(FIRST.from_us, ("digits", 8, 1500)),
            minute(SECOND.from_us, ("digits", 4, 3000)),
        )
    )
    lines = found.variance.lines
    assert found.variance.change == 0
    assert lines["volume"] == -lines["work_per_request"] == round(-MINUTE_COST * math.log(2))


def test_an_added_machine_that_nobody_needs_is_utilisation(tmp_path: Path) -> None:
    other = {"node_id": "node-2", "boot_id": "0198c0de-0000-7000-8000-000000000002"}
    work = ("digits", 5, 3000)
    found = explained(
        stored(
            tmp_path,
            minute(FIRST.from_us, work),
            minute(SECOND.from_us, work),
            minute(SECOND.from_us, **other),
        )
    )
    moved = {line: ticks for line, ticks in found.variance.lines.items() if ticks}
    assert moved == {"utilization": MINUTE_COST}
    (region,) = found.movers[By.REGION]
    assert cause_words(region) == "utilisation 12.5% to 6.25%"


def test_a_machine_of_another_kind_that_executes_nothing_has_its_own_line(tmp_path: Path) -> None:
    other = {"node_id": "node-2", "boot_id": "0198c0de-0000-7000-8000-000000000002",
             "region": "eu-west-1"}  # fmt: skip
    idle = Machine("aws", "eu-west-1", "c7i.xlarge", "on_demand")
    prices = Catalogue(
        [Price(m, MICRO_USD_PER_HOUR, None, "2026", "test") for m in (MACHINE, idle)]
    )
    work = ("digits", 5, 3000)
    database = stored(
        tmp_path,
        minute(FIRST.from_us, work),
        minute(SECOND.from_us, work),
        minute(SECOND.from_us, **other),
    )
    found = explained(database, prices)
    moved = {line: ticks for line, ticks in found.variance.lines.items() if ticks}
    assert moved == {"unused_machines": MINUTE_COST}
    (region,) = found.movers[By.REGION]
    assert (region.key, region.change, region.cause) == (("eu-west-1",), MINUTE_COST, Cause.NEW)
    assert found.movers[By.MODEL] == ()


def test_a_cache_that_is_switched_on_for_all_is_less_work_and_no_retired_model(
    tmp_path: Path,
) -> None:
    found = explained(
        stored(
            tmp_path,
            minute(FIRST.from_us, ("digits", 6, 1000), ("letters", 1, 1000)),
            minute(SECOND.from_us, ("digits", 6, 0), ("letters", 1, 1000)),
        )
    )
    digits = next(row for row in found.variance.contributions if row.key == ("digits",))
    assert digits.kind is Kind.CONTINUING
    assert digits.change == Fraction(-6, 7) * MINUTE_COST
    mover = found.movers[By.MODEL][0]
    assert cause_words(mover) == "less work per request (1,000 to 0 ms of a worker)"


def test_requests_that_name_no_model_are_no_volume(tmp_path: Path) -> None:
    stray = minute(SECOND.from_us, ("digits", 3, 1000))
    for n in range(500):
        stray.records.append(
            usage_record(
                record_id=f"0198c0de-0000-7000-8000-{10**9 + n:012x}",
                seq=10**9 + n,
                model=None,
                model_version=None,
                variant=None,
                input_digest=None,
                compute_us=0,
                batch_size=0,
                batch_id=None,
                cache="bypass",
                status=404,
                error="model_not_found",
                arrived_at_us=SECOND.from_us + n,
            )
        )
    database = stored(tmp_path, minute(FIRST.from_us, ("digits", 3, 1000)), stray)
    assert not any(explained(database).variance.lines.values())


def test_an_empty_period_makes_all_cost_new(tmp_path: Path) -> None:
    found = explained(stored(tmp_path, minute(SECOND.from_us, ("digits", 3, 1000))))
    assert found.variance.before == 0
    assert found.variance.lines["new"] == MINUTE_COST


def test_machines_without_a_price_cost_nothing(tmp_path: Path) -> None:
    first, second = (minute(p.from_us, ("digits", 3, 1000)) for p in (FIRST, SECOND))
    found = explained(stored(tmp_path, first, second), Catalogue([]))
    assert not any(found.variance.lines.values())


def test_what_is_no_machine_time_has_lines_of_its_own(tmp_path: Path) -> None:
    work = ("digits", 5, 3000)
    database = stored(tmp_path, minute(FIRST.from_us, work), minute(SECOND.from_us, work))
    was = Components(compute=70, idle=8, network=5, storage=4, cache=3, commitment=2)
    came = Components(compute=90, idle=1, network=4, storage=6, cache=10, commitment=1)
    found = explained(database, beside=(was, came)).variance
    assert (found.before, found.after) == (MINUTE_COST + 14, MINUTE_COST + 21)
    moved = {line: ticks for line, ticks in found.lines.items() if ticks}
    assert moved == {"network": -1, "storage": 2, "cache": 7, "commitment": -1}


WHERE = [EVERYTHING, Filter(region=("us-east-1",)), Filter(simulated=("no",))]


@pytest.mark.parametrize("where", WHERE, ids=["all", "a region", "no simulation"])
def test_the_change_of_a_fleet_is_that_of_its_machines_counted_by_hand(
    fleet: Path, where: Filter
) -> None:
    found = explained(fleet, FLEET_PRICES, BEFORE, AFTER, where)
    lines = found.variance.lines
    machines = [
        sum(
            s.interval_us * rate(machine, s.sampled_at_us - s.interval_us)
            for s in TRUTH.ran(period, where)
            if (machine := MACHINES[s.node_id])
        )
        for period in (BEFORE, AFTER)
    ]
    assert found.variance.change == machines[1] - machines[0]
    for by in (By.TENANT, By.REGION, By.INSTANCE_TYPE):
        assert found.movers[by]
    assert lines["price"] > 0
    (dearer,) = {m.change for m in found.movers[By.REGION] if m.key == ("us-east-1",)}
    cheap = [
        sum(s.interval_us for s in TRUTH.ran(p, replace(where, region=("us-east-1",))))
        * rate(MACHINE, p.from_us)
        for p in (BEFORE, AFTER)
    ]
    assert dearer == cheap[1] - cheap[0]


def test_the_drivers_of_a_fleet_are_those_of_the_formula_on_its_facts(fleet: Path) -> None:
    found = explained(fleet, FLEET_PRICES, BEFORE, AFTER)
    was, came = by_hand(BEFORE), by_hand(AFTER)
    volume = [sum(row[0] for row in period.values()) for period in (was, came)]
    expected = [0.0] * 5
    for key in was:
        (n0, b0, k0, c0), (n1, b1, k1, c1) = was[key], came[key]
        mean = (c1 - c0) / math.log(c1 / c0)
        x0 = volume[0], n0 / volume[0], b0 / n0, k0 / b0, c0 / k0
        x1 = volume[1], n1 / volume[1], b1 / n1, k1 / b1, c1 / k1
        for i, (a, b) in enumerate(zip(x0, x1, strict=True)):
            expected[i] += mean * math.log(b / a)
    drivers = [float(ticks) for ticks in found.variance.drivers.values()]
    assert drivers == pytest.approx(expected, rel=1e-9, abs=1e-6 * max(map(abs, expected)))


def by_hand(period: Period) -> dict[str, tuple[float, float, float, float]]:
    """Return requests, busy time, provided time and cost of each model, from the facts alone."""
    cost: dict[Machine, float] = defaultdict(float)
    capacity: dict[Machine, float] = defaultdict(float)
    for sample in TRUTH.ran(period, EVERYTHING):
        machine = MACHINES[sample.node_id]
        assert machine is not None
        cost[machine] += sample.interval_us * rate(machine, period.from_us)
        capacity[machine] += sample.interval_us * sample.workers_ready
    direct: dict[tuple[str, Machine], float] = defaultdict(float)
    busy: dict[str, float] = defaultdict(float)
    requests: dict[str, int] = defaultdict(int)
    for record in TRUTH.came(period, EVERYTHING):
        machine = MACHINES[record.node_id]
        if record.model is None:
            continue
        requests[record.model] += is_request(record)
        if machine and record.compute_us and TRUTH.share(record):
            direct[record.model, machine] += float(TRUTH.ticks([record]))
            busy[record.model] += float(worker_us(record))
    found = {}
    for model, count in requests.items():
        part = {m: direct[model, m] / sum(direct[other, m] for other in requests) for m in RATES}
        found[model] = (
            float(count),
            busy[model],
            sum(capacity[m] * share for m, share in part.items()),
            sum(cost[m] * share for m, share in part.items()),
        )
    return found


def test_movers_of_every_dimension_are_parts_of_the_same_money(fleet: Path) -> None:
    found = explained(fleet, FLEET_PRICES, BEFORE, AFTER, by=list(By))
    of_machines: set[Ticks] = set()
    for by in (By.MODEL, By.TENANT, By.NODE, By.POOL, By.ORIGIN):
        movers = found.movers[by]
        assert movers
        assert len(movers) <= 5
        if len(movers) < 5:
            of_machines.add(sum(m.change for m in movers))
    assert len(of_machines) == 1
    names: list[Key] = [m.key for m in found.movers[By.NODE]]
    assert ("node-4",) not in names, "nothing is known of its machine"
