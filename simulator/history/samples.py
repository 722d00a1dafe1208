"""The samples of a run, true to what its requests say."""

from collections.abc import Iterator

import numpy as np

from simulator.history.boots import Boot
from simulator.workload import Integers
from usage import NodeSample

# Of a machine that does nothing: the share of its cores that the system takes.
RESTING = 0.02


def busy_times(began_us: Integers, compute_us: Integers, edges_us: Integers) -> Integers:
    """Return how long workers executed between each edge and the next, microseconds.

    Given are the batches, each once. What lies between the first and the last edge is told whole.
    """
    return np.diff(_busy_until(began_us, compute_us, edges_us))


def samples(
    boot: Boot,
    boot_id: str,
    rng: np.random.Generator,
    *,
    sample_us: int,
    batches: tuple[Integers, Integers],
    waits: tuple[Integers, Integers],
) -> Iterator[NodeSample]:
    """Yield the samples of `boot`: while it loads, at multiples of `sample_us`, and at its end.

    `batches` are the start and the execution time of each, `waits` when each request began to wait
    in the queue and when it left.
    """
    node, machine = boot.node, boot.machine
    edges_us = _edges(boot, sample_us)
    lengths_us = np.diff(edges_us)
    busy_us = busy_times(*batches, edges_us)
    ready = edges_us[:-1] >= boot.ready_us
    share = busy_us / (lengths_us * node.workers)
    entered_us, left_us = (np.sort(times) for times in waits)
    depth = np.searchsorted(entered_us, edges_us[1:], "right") - np.searchsorted(
        left_us, edges_us[1:], "right"
    )
    jitter = rng.random((2, len(share)))
    on_gpu = node.pool == "gpu"
    # The host of a GPU mostly waits for it.
    cpu = np.minimum(1.0, RESTING + (0.15 if on_gpu else 0.9) * share + 0.02 * jitter[0])
    memory = (node.memory_bytes * (0.97 + 0.06 * jitter[1])).astype(np.int64)
    rows = zip(
        edges_us[1:].tolist(),
        lengths_us.tolist(),
        ready.tolist(),
        busy_us.tolist(),
        share.round(4).tolist(),
        cpu.round(4).tolist(),
        memory.tolist(),
        depth.tolist(),
        strict=True,
    )
    for at_us, length_us, is_ready, busy, used, cpu_used, bytes_used, queue_depth in rows:
        yield NodeSample(
            node_id=node.node_id,
            boot_id=boot_id,
            sampled_at_us=at_us,
            interval_us=length_us,
            cloud=machine.cloud,
            region=machine.region,
            instance_type=machine.instance_type,
            purchase_option=machine.purchase_option,
            workers_ready=node.workers if is_ready else 0,
            workers_loading=0 if is_ready else node.workers,
            busy_us=busy,
            cpu_utilization=cpu_used,
            memory_bytes=bytes_used,
            gpu_utilization=used if on_gpu else None,
            gpu_memory_bytes=node.gpu_memory_bytes if on_gpu else None,
            gpu_power_w=_watts(boot, used),
            queue_depth=queue_depth,
            records_dropped=0,
        )


def _edges(boot: Boot, sample_us: int) -> Integers:
    first = boot.ready_us // sample_us * sample_us + sample_us
    inner = np.arange(first, boot.to_us, sample_us)
    return np.concatenate([[boot.from_us, boot.ready_us], inner, [boot.to_us]]).astype(np.int64)


def _busy_until(began_us: Integers, compute_us: Integers, at_us: Integers) -> Integers:
    """Return the execution time before each of `at_us`, ascending: of what began, less what is
    left of it."""
    begins, ends = np.sort(began_us), np.sort(began_us + compute_us)
    begun, ended = np.searchsorted(begins, at_us), np.searchsorted(ends, at_us)
    base = int(at_us[0])
    begin_sums = np.concatenate([[0], np.cumsum(begins - base)])
    end_sums = np.concatenate([[0], np.cumsum(ends - base)])
    since: Integers = at_us - base
    found: Integers = begun * since - begin_sums[begun] - (ended * since - end_sums[ended])
    return found


def _watts(boot: Boot, used: float) -> float | None:
    if boot.node.watts is None:
        return None
    idle, full = boot.node.watts
    return round(idle + (full - idle) * used, 1)
