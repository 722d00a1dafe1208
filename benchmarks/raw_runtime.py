"""ONNX Runtime called in a loop in this process: what a server around it could reach at best."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import onnxruntime as ort

from benchmarks.models import INPUT, OUTPUT, BenchmarkModel, Floats

BATCH_SIZES = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True)
class RawRate:
    """Items per second by batch size; one session, one thread."""

    items_per_s: dict[int, float]

    @property
    def single_us(self) -> float:
        """Microseconds for a batch of one."""
        return 1e6 / self.items_per_s[1]


def best_batch_size(rates: Sequence[RawRate]) -> int:
    """Return the batch size with the highest median rate.

    Not the highest of each round: that would take the luckiest of many noisy figures.
    """
    return max(BATCH_SIZES, key=lambda size: median(rate.items_per_s[size] for rate in rates))


class RawRuntime:
    """A session with the options of the node's own."""

    def __init__(self, model: BenchmarkModel) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(model.onnx_bytes, options, ["CPUExecutionProvider"])
        self._item = model.item()

    def answer(self) -> Floats:
        """Return the output for the model's one item, without the batch axis."""
        [answers] = self._session.run([OUTPUT], {INPUT: self._item})
        row: Floats = answers[0]
        return row

    def measure(self, seconds: float) -> RawRate:
        """Run every batch size for its share of `seconds`."""
        share_s = seconds / len(BATCH_SIZES)
        return RawRate({size: self._rate(size, share_s) for size in BATCH_SIZES})

    def _rate(self, batch_size: int, seconds: float) -> float:
        inputs = {INPUT: np.repeat(self._item, batch_size, axis=0)}
        self._session.run([OUTPUT], inputs)
        runs = 0
        started_s = now_s = time.perf_counter()
        while now_s - started_s < seconds or not runs:
            self._session.run([OUTPUT], inputs)
            runs += 1
            now_s = time.perf_counter()
        return runs * batch_size / (now_s - started_s)
