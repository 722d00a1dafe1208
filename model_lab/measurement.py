"""Latency of several model files on one CPU thread, measured side by side."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model_lab.card import BatchLatency, Performance
from model_lab.classifier import INTRA_OP_THREADS, Classifier
from model_lab.machine import describe_machine
from model_lab.sample import SIDE

BATCH_SIZES = (1, 2, 4, 8, 16, 32)
ROUNDS = 60
WARM_UP_RUNS = 2
TIMED_RUNS = 5
PIXEL_SEED = 0
"""Dense layers take the same time whatever the pixels, so random ones will do."""

NOTE = (
    "session.run alone; runs of all versions and batch sizes interleaved; "
    "the machine was not reserved for the measurement"
)


def measure(models: Mapping[str, Path], rounds: int = ROUNDS) -> dict[str, Performance]:
    """Time every model at every batch size; the first of `models` is the reference.

    Each round visits all models and batch sizes in turn, so that a busy neighbour on the machine
    slows all of them and ratios of medians stay fair. A visit runs twice untimed (the model's
    weights return to the cache), then five times timed. Times are session.run alone.
    """
    classifiers = {name: Classifier(path) for name, path in models.items()}
    generator = np.random.default_rng(PIXEL_SEED)
    batches = {
        size: generator.random((size, 1, SIDE, SIDE), dtype=np.float32) for size in BATCH_SIZES
    }
    elapsed_ns: dict[tuple[str, int], list[int]] = {
        (name, size): [] for name in classifiers for size in BATCH_SIZES
    }
    for _ in range(rounds):
        for size, batch in batches.items():
            for name, classifier in classifiers.items():
                elapsed_ns[name, size].extend(_timed_runs(classifier, batch))
    latency = {
        name: tuple(summarise(size, elapsed_ns[name, size]) for size in BATCH_SIZES)
        for name in classifiers
    }
    reference = latency[next(iter(latency))]
    return {name: _performance(rows, reference, rounds) for name, rows in latency.items()}


def summarise(batch_size: int, elapsed_ns: list[int]) -> BatchLatency:
    """Return median and 95th percentile of `elapsed_ns`, in whole microseconds."""
    median_us, p95_us = (round(value / 1000) for value in np.quantile(elapsed_ns, [0.5, 0.95]))
    return BatchLatency(
        batch_size=batch_size,
        median_compute_us=median_us,
        p95_compute_us=p95_us,
        median_per_request_us=round(median_us / batch_size, 2),
    )


def _timed_runs(classifier: Classifier, batch: npt.NDArray[np.float32]) -> list[int]:
    for _ in range(WARM_UP_RUNS):
        classifier.run(batch)
    elapsed_ns = []
    for _ in range(TIMED_RUNS):
        start_ns = time.perf_counter_ns()
        classifier.run(batch)
        elapsed_ns.append(time.perf_counter_ns() - start_ns)
    return elapsed_ns


def _performance(
    rows: tuple[BatchLatency, ...], reference: tuple[BatchLatency, ...], rounds: int
) -> Performance:
    return Performance(
        measured_at=datetime.now(UTC).date(),
        machine=describe_machine(),
        intra_op_threads=INTRA_OP_THREADS,
        repetitions=rounds * TIMED_RUNS,
        note=NOTE,
        latency=rows,
        per_request_ratio=round(rows[-1].median_per_request_us / rows[0].median_per_request_us, 4),
        speed_up_over_fp32=round(reference[0].median_compute_us / rows[0].median_compute_us, 2),
    )
