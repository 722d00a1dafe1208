"""Node samples tile the life of a node, on boundaries that divide a minute."""

import asyncio
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from inference_node.config import MachineConfig
from inference_node.metering.busy_log import BusyLog
from inference_node.metering.gpu import GpuReading
from inference_node.metering.sampler import Sampler
from tests.unit.inference_node.virtual_time import ManualClock, run, turns
from usage import NodeSample, decode_line, encode_line

SECOND_US = 1_000_000
START_US = 1_762_178_400 * SECOND_US
BOOT_ID = "0198c0de-0000-7000-8000-000000000001"


def sampler_of(
    clock: ManualClock,
    busy: BusyLog,
    samples: list[NodeSample],
    *,
    workers: int = 2,
    interval_us: int = SECOND_US,
    gpu: Callable[[], GpuReading] = GpuReading,
) -> Sampler:
    return Sampler(
        clock,
        busy,
        samples.append,
        node_id="node-1",
        boot_id=BOOT_ID,
        machine=MachineConfig(cloud="aws", region="r", instance_type="t", purchase_option="spot"),
        workers=workers,
        interval_us=interval_us,
        queue_depth=lambda: 3,
        records_dropped=lambda: 4,
        started_us=clock.us,
        gpu=gpu,
    )


def assert_tiles(samples: list[NodeSample], from_us: int, to_us: int) -> None:
    for sample in samples:
        assert sample.sampled_at_us - sample.interval_us == from_us
        from_us = sample.sampled_at_us
        assert sample.busy_us <= sample.interval_us * (
            sample.workers_ready + sample.workers_loading
        )
        assert decode_line(encode_line(sample)) == sample
    assert from_us == to_us


def test_samples_end_on_multiples_of_the_interval_and_at_start_loading_and_stop() -> None:
    clock = ManualClock(START_US + 300_000)
    samples: list[NodeSample] = []
    busy = BusyLog(clock)
    sampler = sampler_of(clock, busy, samples)

    async def story() -> None:
        clock.us = START_US + 700_000
        sampler.loaded()
        task = asyncio.create_task(sampler.run())
        await turns()
        for at_us in range(START_US + 700_000, START_US + 3_400_001, 100_000):
            clock.us = at_us
            await turns()
        task.cancel()
        sampler.close()

    run(clock, story())
    ends = [sample.sampled_at_us - START_US for sample in samples]
    assert ends == [700_000, 1_000_000, 2_000_000, 3_000_000, 3_400_000]
    assert [sample.workers_loading for sample in samples] == [2, 0, 0, 0, 0]
    assert [sample.workers_ready for sample in samples] == [0, 2, 2, 2, 2]
    assert_tiles(samples, START_US + 300_000, START_US + 3_400_000)
    assert {(s.cloud, s.region, s.instance_type, s.purchase_option) for s in samples} == {
        ("aws", "r", "t", "spot")
    }
    assert {(s.queue_depth, s.records_dropped) for s in samples} == {(3, 4)}


def test_a_sample_that_comes_late_still_ends_on_the_boundary_and_the_rest_is_in_the_next() -> None:
    clock = ManualClock(START_US)
    samples: list[NodeSample] = []
    busy = BusyLog(clock)
    sampler = sampler_of(clock, busy, samples)

    async def story() -> None:
        task = asyncio.create_task(sampler.run())
        await turns()
        clock.us = START_US + 900_000
        busy.begin(0)
        clock.us = START_US + 1_250_000  # the loop was held up for a quarter of a second
        await turns()
        busy.end(0)
        clock.us = START_US + 2_000_000
        await turns()
        task.cancel()

    run(clock, story())
    assert [(s.interval_us, s.busy_us) for s in samples] == [
        (SECOND_US, 100_000),
        (SECOND_US, 250_000),
    ]


def test_a_loop_held_up_over_several_boundaries_leaves_one_longer_sample() -> None:
    clock = ManualClock(START_US)
    samples: list[NodeSample] = []
    sampler = sampler_of(clock, BusyLog(clock), samples)

    async def story() -> None:
        task = asyncio.create_task(sampler.run())
        await turns()
        for at_us in (3_700_000, 4_000_000):
            clock.us = START_US + at_us
            await turns()
        task.cancel()

    run(clock, story())
    assert [sample.interval_us for sample in samples] == [3 * SECOND_US, SECOND_US]


def test_what_the_gpus_do_is_in_the_sample_and_null_where_there_is_none() -> None:
    clock = ManualClock(START_US)
    samples: list[NodeSample] = []
    readings = [GpuReading(), GpuReading(0.25, 3 * 2**30, 71.5, 1.0)]
    sampler = sampler_of(clock, BusyLog(clock), samples, gpu=lambda: readings.pop(0))
    for _ in range(2):
        clock.us += SECOND_US
        sampler.close()
    assert [(s.gpu_utilization, s.gpu_memory_bytes, s.gpu_power_w) for s in samples] == [
        (None, None, None),
        (0.25, 3 * 2**30, 71.5),
    ]
    assert_tiles(samples, START_US, clock.us)


@settings(max_examples=50, deadline=None)
@given(
    interval_us=st.sampled_from([10_000, 250_000, SECOND_US, 60 * SECOND_US]),
    start_us=st.integers(0, 3 * SECOND_US),
    steps_us=st.lists(st.integers(1, 2 * SECOND_US), min_size=1, max_size=20),
    toggles=st.lists(st.sampled_from([None, 0, 1]), min_size=20, max_size=20),
)
def test_samples_tile_without_gap_or_overlap_and_hold_all_busy_time(
    interval_us: int, start_us: int, steps_us: list[int], toggles: list[int | None]
) -> None:
    clock = ManualClock(START_US + start_us)
    samples: list[NodeSample] = []
    busy = BusyLog(clock)
    sampler = sampler_of(clock, busy, samples, interval_us=interval_us)
    began: dict[int, int] = {}
    busy_us = 0

    async def story() -> None:
        nonlocal busy_us
        task = asyncio.create_task(sampler.run())
        await turns(3)
        for step_us, worker in zip(steps_us, toggles, strict=False):
            clock.us += step_us
            if worker is not None:
                if worker in began:
                    busy_us += busy.end(worker) - began.pop(worker)
                else:
                    began[worker] = busy.begin(worker)
            await turns(3)
        task.cancel()
        sampler.close()

    run(clock, story())
    busy_us += sum(clock.us - began_us for began_us in began.values())
    assert_tiles(samples, START_US + start_us, clock.us)
    assert sum(sample.busy_us for sample in samples) == busy_us
    assert all(sample.sampled_at_us % interval_us == 0 for sample in samples[:-1])
