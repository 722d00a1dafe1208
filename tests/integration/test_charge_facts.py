"""What charges are derived from, against the truth of each single record and sample."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from store import HOUR_US, MINUTE_US, ChargeFacts, Filter, NodeStep, Period, open_writer
from store.compaction import fold_minutes
from tests.integration.finance_fleet import fleet_database
from tests.integration.usage_truth import (
    CHANGE_US,
    CHANGES,
    MACHINES,
    PERIOD,
    Truth,
    fleet_facts,
    is_request,
    minute_of,
)
from usage import UsageRecord

TRUTH = Truth(fleet_facts())
MONTH = Period(PERIOD.from_us // HOUR_US * HOUR_US, PERIOD.from_us // HOUR_US * HOUR_US + HOUR_US)
CLOUDS = ["gcp", "aws"]
KEY = ("model", "model_version", "variant", "tenant", "labels", "origin", "failed")


def key_of(record: UsageRecord) -> tuple[object, ...]:
    return (
        record.model,
        record.model_version,
        record.variant,
        record.tenant,
        tuple(sorted(record.labels.items())),
        record.origin,
        record.status >= 400,
    )


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fleet_database(tmp_path_factory)


@pytest.fixture
def facts(database: Path, tmp_path: Path) -> Iterator[ChargeFacts]:
    found = ChargeFacts(database, tmp_path, MONTH, HOUR_US, CHANGES)
    yield found
    found.close()


def totals(steps: list[NodeStep]) -> dict[object, Counter[str]]:
    found: dict[object, Counter[str]] = defaultdict(Counter)
    for step in steps:
        for use in step.uses:
            key = tuple(getattr(use, name) for name in KEY)
            labels = tuple(sorted(json.loads(use.labels).items()))
            group = step.from_us, step.node_id, (*key[:4], labels, *key[5:])
            for name in ("requests", "input_tokens", "output_tokens", "machine_ns"):
                found[group][name] += getattr(use, name)
    return found


def test_machine_time_is_that_of_the_samples_cut_where_a_price_changes(facts: ChargeFacts) -> None:
    steps = list(facts.node_steps(CLOUDS))
    assert {step.from_us for step in steps} == {MONTH.from_us, CHANGE_US}
    for step in steps:
        ran = [s for s in TRUTH.samples if s.node_id == step.node_id]
        late = [s for s in ran if minute_of(s.sampled_at_us - 1) >= CHANGE_US]
        early = [s for s in ran if minute_of(s.sampled_at_us - 1) < CHANGE_US]
        expected = sum(s.interval_us for s in (late if step.from_us == CHANGE_US else early))
        assert step.total_us == expected
        assert step.machine == MACHINES[step.node_id]
    assert sum(step.total_us for step in steps) == sum(u for *_, u in facts.machines())


def test_steps_come_in_the_order_asked_for(facts: ChargeFacts) -> None:
    order = [
        (s.from_us, CLOUDS.index(s.machine.cloud), s.node_id) for s in facts.node_steps(CLOUDS)
    ]
    assert order == sorted(order)
    assert [s.uses for s in facts.node_steps(CLOUDS, uses=False)] == [[]] * len(order)
    assert facts.clouds() == ["aws", "gcp"]


def test_what_requests_own_is_that_of_their_records(facts: ChargeFacts) -> None:
    found = totals(list(facts.node_steps(CLOUDS)))
    group: object
    truth: dict[object, Counter[str]] = defaultdict(Counter)
    owned: dict[object, Fraction] = defaultdict(Fraction)
    for record in TRUTH.records:
        if MACHINES[record.node_id] is None:
            continue
        begin = CHANGE_US if minute_of(record.arrived_at_us) >= CHANGE_US else MONTH.from_us
        group = begin, record.node_id, key_of(record)
        owned[group] += TRUTH.machine_us(record)
        if is_request(record):
            truth[group]["requests"] += 1
            truth[group]["input_tokens"] += record.input_tokens or 0
            truth[group]["output_tokens"] += record.output_tokens or 0
    groups = {group for group in (*truth, *owned) if truth[group]["requests"] or owned[group]}
    assert set(found) == groups
    for group in groups:
        for name in ("requests", "input_tokens", "output_tokens"):
            assert found[group][name] == truth[group][name]
        # Rounded down once for each dimension, batch size and share of the machine.
        lost = owned[group] * 1000 - found[group]["machine_ns"]
        assert 0 <= lost < 200


def test_what_is_owned_of_a_kind_of_machine_is_the_sum_of_its_uses(facts: ChargeFacts) -> None:
    expected: Counter[object] = Counter()
    for step in facts.node_steps(CLOUDS):
        for use in step.uses:
            whose = use.tenant, use.model, use.labels
            expected[step.from_us, step.machine, *whose] += use.machine_ns
    found = list(facts.owned_times())
    assert {tuple(each[:5]): each.machine_ns for each in found} == +expected
    assert [each.from_us for each in found] == sorted(each.from_us for each in found)


def test_folding_minutes_into_hours_changes_nothing(database: Path, tmp_path: Path) -> None:
    folded = tmp_path / "folded.duckdb"
    folded.write_bytes(database.read_bytes())
    with open_writer(folded) as connection:
        fold_minutes(connection, MONTH.to_us)
    steps = []
    for number, path in enumerate((database, folded)):
        place = tmp_path / str(number)
        place.mkdir()
        # Without a change of price within the hour: an hour that is folded has one price.
        facts = ChargeFacts(path, place, MONTH, HOUR_US, [0])
        steps.append(list(facts.node_steps(CLOUDS)))
        facts.close()
    before, after = (totals(found) for found in steps)
    assert before == after
    assert [s.total_us for s in steps[0]] == [s.total_us for s in steps[1]]


def test_what_is_missing_is_counted(facts: ChargeFacts) -> None:
    found = facts.completeness
    requests = [r for r in TRUTH.records if is_request(r)]
    assert found.requests == len(requests)
    assert found.homeless == sum(MACHINES[r.node_id] is None for r in requests)
    assert found.unmeasured == sum(bool(r.compute_us) and TRUTH.share(r) is None for r in requests)
    assert {node.node_id for node in found.dropped} == {"node-3"}
    assert len(found.boots) == 4


def test_bytes_are_those_of_requests_whose_machine_is_known(facts: ChargeFacts) -> None:
    sent: Counter[object] = Counter()
    received: Counter[object] = Counter()
    for row in facts.bytes_by_day(CLOUDS):
        sent[row.from_us, row.region, row.tenant] += row.sent_bytes
        received[row.from_us, row.region, row.tenant] += row.received_bytes
    truth: Counter[object] = Counter()
    other: Counter[object] = Counter()
    for record in TRUTH.records:
        machine = MACHINES[record.node_id]
        if machine is None or not is_request(record):
            continue
        begin = CHANGE_US if minute_of(record.arrived_at_us) >= CHANGE_US else MONTH.from_us
        truth[begin, machine.region, record.tenant] += record.response_bytes
        other[begin, machine.region, record.tenant] += record.request_bytes
    assert (sent, received) == (+truth, +other)


def test_a_filter_on_machines_leaves_out_the_others(database: Path, tmp_path: Path) -> None:
    facts = ChargeFacts(database, tmp_path, MONTH, MINUTE_US, [0], where=Filter(simulated=("no",)))
    made_up = {r.node_id for r in TRUTH.records if r.origin == "simulated"}
    assert made_up
    found = {step.node_id for step in facts.node_steps(CLOUDS)}
    assert found == {node for node in MACHINES if MACHINES[node] is not None} - made_up
    assert not any(use.origin == "simulated" for s in facts.node_steps(CLOUDS) for use in s.uses)
    facts.close()


def test_a_period_without_facts_is_empty(database: Path, tmp_path: Path) -> None:
    before = Period(MONTH.from_us - HOUR_US, MONTH.from_us)
    facts = ChargeFacts(database, tmp_path, before, HOUR_US, CHANGES)
    assert list(facts.node_steps(CLOUDS)) == []
    assert facts.completeness.requests == 0
    assert facts.reserved_hours() == {}
    facts.close()
