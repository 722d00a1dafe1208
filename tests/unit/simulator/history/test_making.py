"""A made-up stretch is true to itself by the identities of docs/definitions.md."""

import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.history import make_stretch
from tests.unit.simulator.history.small_story import (
    HOUR_US,
    MONDAY_US,
    SECOND_US,
    small_story,
)
from usage import NodeSample, UsageRecord, decode_line


@dataclass(frozen=True)
class Left:
    """What one run left, as a collector would read it."""

    node_id: str
    boot_id: str
    records: list[UsageRecord]
    samples: list[NodeSample]


def made(seed: int, from_us: int, to_us: int, sample_us: int = 60 * SECOND_US) -> list[Left]:
    found = []
    for run in make_stretch(small_story(sample_us), seed, MONDAY_US, from_us, to_us):
        facts = [decode_line(line) for line in run.lines.splitlines()]
        records = [fact for fact in facts if isinstance(fact, UsageRecord)]
        samples = [fact for fact in facts if isinstance(fact, NodeSample)]
        assert (len(records), len(samples)) == (run.records, run.samples)
        found.append(Left(run.node_id, run.boot_id, records, samples))
    return found


def batches(records: list[UsageRecord]) -> dict[int, list[UsageRecord]]:
    found = defaultdict(list)
    for record in records:
        if record.batch_id is not None:
            found[record.batch_id].append(record)
    return found


STRETCHES = st.tuples(
    st.integers(0, 2**32), st.integers(0, 4 * HOUR_US), st.integers(HOUR_US // 6, 3 * HOUR_US)
)


@settings(deadline=None)
@given(stretch=STRETCHES, sample_us=st.sampled_from([60 * SECOND_US, 7 * SECOND_US, HOUR_US]))
def test_samples_cover_a_run_and_say_how_long_its_batches_took(
    stretch: tuple[int, int, int], sample_us: int
) -> None:
    seed, offset_us, length_us = stretch
    from_us = MONDAY_US + offset_us
    for run in made(seed, from_us, from_us + length_us, sample_us):
        ends = [sample.sampled_at_us for sample in run.samples]
        begins = [sample.sampled_at_us - sample.interval_us for sample in run.samples]
        assert begins[1:] == ends[:-1], "without gap or overlap"
        assert from_us <= begins[0]
        assert ends[-1] <= from_us + length_us
        executed = [
            (members[0].arrived_at_us + members[0].queue_us, members[0].compute_us)
            for members in batches(run.records).values()
        ]
        began_us, took_us = np.array(executed, np.int64).reshape(-1, 2).T
        queued = [r for r in run.records if r.batch_size or r.error == "queue_timeout"]
        came_us = np.array([r.arrived_at_us for r in queued], np.int64)
        left_us = np.array([r.arrived_at_us + r.queue_us for r in queued], np.int64)
        for sample, begin_us in zip(run.samples, begins, strict=True):
            end_us = sample.sampled_at_us
            inside_us = np.minimum(end_us, began_us + took_us) - np.maximum(begin_us, began_us)
            assert sample.busy_us == np.maximum(0, inside_us).sum()
            assert sample.busy_us <= sample.workers_ready * sample.interval_us
            assert sample.queue_depth == ((came_us <= end_us) & (end_us < left_us)).sum()
        owned = sum(
            (Fraction(r.compute_us * r.items, r.batch_size) for r in run.records if r.batch_size),
            Fraction(0),
        )
        assert owned == sum(sample.busy_us for sample in run.samples)


@settings(deadline=None)
@given(stretch=STRETCHES)
def test_every_record_is_numbered_marked_and_of_its_run(stretch: tuple[int, int, int]) -> None:
    seed, offset_us, length_us = stretch
    from_us = MONDAY_US + offset_us
    runs = made(seed, from_us, from_us + length_us)
    ids: Counter[str] = Counter()
    for run in runs:
        assert [record.seq for record in run.records] == [*range(1, len(run.records) + 1)]
        answered = [record.arrived_at_us + record.total_us for record in run.records]
        assert answered == sorted(answered), "records are written when they are answered"
        assert answered[-1] <= run.samples[-1].sampled_at_us
        [serving_us] = {s.sampled_at_us for s in run.samples if s.workers_loading}
        for record in run.records:
            assert record.origin == "simulated"
            assert (record.node_id, record.boot_id) == (run.node_id, run.boot_id)
            assert record.arrived_at_us >= serving_us
            assert record.total_us >= record.queue_us + record.compute_us
            assert uuid.UUID(record.record_id).version == 7
            assert uuid.UUID(record.record_id).int >> 80 == record.arrived_at_us // 1000
            assert (record.batch_id is None) == (record.compute_us == 0) == (record.batch_size == 0)
        ids.update(record.record_id for record in run.records)
        ids[run.boot_id] += 1
    assert set(ids.values()) <= {1}


@settings(deadline=None)
@given(stretch=STRETCHES)
def test_requests_of_a_batch_share_all_of_it(stretch: tuple[int, int, int]) -> None:
    seed, offset_us, length_us = stretch
    from_us = MONDAY_US + offset_us
    for run in made(seed, from_us, from_us + length_us):
        for members in batches(run.records).values():
            assert sum(record.items for record in members) == members[0].batch_size
            shared = {
                (r.compute_us, r.batch_size, r.worker, r.arrived_at_us + r.queue_us, r.model)
                for r in members
            }
            assert len(shared) == 1


@pytest.fixture(scope="module")
def day() -> list[Left]:
    return made(5, MONDAY_US, MONDAY_US + 8 * HOUR_US)


def test_an_answer_of_the_cache_has_an_execution_before_it(day: list[Left]) -> None:
    outcomes: Counter[str] = Counter()
    for run in day:
        executed = defaultdict(list)
        for record in run.records:
            if record.compute_us and record.status == 200:
                began_us = record.arrived_at_us + record.queue_us
                executed[record.model_version, record.input_digest].append(
                    (record.arrived_at_us, began_us + record.compute_us)
                )
        for record in run.records:
            outcomes[record.cache] += 1
            known = executed[record.model_version, record.input_digest]
            if record.cache == "memory":
                assert any(ready <= record.arrived_at_us for _, ready in known)
                assert (record.queue_us, record.compute_us, record.worker) == (0, 0, None)
            if record.cache == "coalesced":
                answer_us = record.arrived_at_us + record.total_us
                assert any(
                    arrived <= record.arrived_at_us < ready <= answer_us for arrived, ready in known
                )
    assert min(outcomes[name] for name in ("miss", "bypass", "memory", "coalesced")) > 3


def test_the_cache_is_asked_from_the_moment_it_is_switched_on(day: list[Left]) -> None:
    searches = [r for run in day for r in run.records if r.tenant == "search" and r.status != 400]
    switched_on_us = MONDAY_US + HOUR_US // 2
    assert {r.cache for r in searches if r.arrived_at_us < switched_on_us} == {"bypass"}
    assert {r.cache for r in searches if r.arrived_at_us >= switched_on_us} == {
        "miss",
        "memory",
        "coalesced",
    }
    assert {r.cache for run in day for r in run.records if r.tenant == "shop"} == {"bypass"}


def test_batches_fill_under_load_and_errors_are_those_of_the_story(day: list[Left]) -> None:
    records = [record for run in day for record in run.records]
    slow = [record for record in records if record.model == "slow"]
    assert {record.batch_size for record in slow if record.batch_size} == {1, 2, 3, 4}
    errors = Counter(record.error for record in slow)
    executed = sum(record.compute_us > 0 for record in slow)
    # Three standard deviations: a chance of some thousands of requests.
    assert abs(errors["execution_failed"] / executed - 0.1) < 3 * (0.09 / executed) ** 0.5
    assert errors["queue_timeout"] > 0
    assert {r.queue_us // SECOND_US for r in slow if r.error == "queue_timeout"} == {6}
    assert {(r.status, r.error) for r in records} == {
        (200, None),
        (400, "invalid_request"),
        (500, "execution_failed"),
        (503, "queue_timeout"),
    }


def test_tokens_make_the_work_of_a_language_model(day: list[Left]) -> None:
    records = [record for run in day for record in run.records]
    assert all((r.input_tokens is None) == (r.tenant == "shop") for r in records)
    alone = [r for r in records if r.model == "quick" and r.batch_size == 1 and r.output_tokens]
    long = [r.compute_us for r in alone if (r.output_tokens or 0) > 100]
    short = [r.compute_us for r in alone if (r.output_tokens or 0) < 25]
    assert min(long) > max(short)


def test_a_machine_changes_between_two_runs(day: list[Left]) -> None:
    change_us = MONDAY_US + 2 * HOUR_US
    runs = [run for run in day if run.node_id == "one"]
    assert len(runs) == 2
    for run, option in zip(runs, ("on_demand", "reserved"), strict=True):
        assert {sample.purchase_option for sample in run.samples} == {option}
    assert runs[0].samples[-1].sampled_at_us == change_us
    assert runs[1].samples[0].sampled_at_us - runs[1].samples[0].interval_us == change_us


def test_what_a_gpu_draws_is_told_where_there_is_one(day: list[Left]) -> None:
    for run in day:
        for sample in run.samples:
            assert (sample.gpu_utilization is not None) == (run.node_id == "two")
            if sample.gpu_power_w is not None and sample.gpu_utilization is not None:
                assert 10.0 <= sample.gpu_power_w <= 60.0
                assert sample.gpu_utilization == pytest.approx(
                    sample.busy_us / sample.interval_us, abs=1e-4
                )


def test_the_same_arguments_give_the_same_lines_and_another_seed_gives_others() -> None:
    stretch = (MONDAY_US, MONDAY_US, MONDAY_US + HOUR_US)
    first, again, other = (list(make_stretch(small_story(), seed, *stretch)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_an_empty_stretch_is_nothing() -> None:
    assert made(1, MONDAY_US, MONDAY_US) == []
    assert made(1, MONDAY_US, MONDAY_US + 1) == []
