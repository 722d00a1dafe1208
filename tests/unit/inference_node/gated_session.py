"""A session that executes when a test lets it, and models made of it."""

import threading
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from inference_node.models.repository import BatchingConfig, Model, ModelConfig
from inference_node.models.session import Session, Tensor, TensorSpec
from tests.unit.inference_node.virtual_time import PATIENCE_S

# What a gated session adds to every value: nobody's answer looks like anybody's request.
SHIFT = 1_000_000


class GatedSession:
    """Has input `x` and output `y` = x + SHIFT. Execution waits for `release` unless it is open."""

    def __init__(self, *, gated: bool = True) -> None:
        self.inputs = [TensorSpec("x", "INT64", (-1, -1))]
        self.outputs = [TensorSpec("y", "INT64", (-1, -1))]
        self.batches: list[list[int]] = []
        self.failure: Exception | None = None
        self.lost_rows = 0
        self._gated = gated
        self._gates: list[threading.Event] = []
        self._lock = threading.Lock()

    @property
    def started(self) -> int:
        """How many batches have begun to execute."""
        return len(self.batches)

    def release(self, batch: int) -> None:
        """Let batch number `batch` (from 0, in the order of their start) finish."""
        self._gates[batch].set()

    def run(self, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> list[Tensor]:
        assert list(outputs) == ["y"]
        values = cast("np.ndarray[tuple[int, int], np.dtype[np.int64]]", inputs["x"])
        gate = threading.Event()
        with self._lock:
            self._gates.append(gate)
            self.batches.append(values[:, 0].tolist())
        if self._gated:
            assert gate.wait(PATIENCE_S), "no test released this batch"
        if self.failure is not None:
            raise self.failure
        return [(values + SHIFT)[self.lost_rows :]]


def model_of(
    session: object,
    *,
    name: str = "m",
    version: str = "1",
    max_batch_size: int = 4,
    delay_us: int = 1000,
) -> Model:
    config = ModelConfig(
        variant="fp32",
        batching=BatchingConfig(
            max_batch_size=max_batch_size, max_queue_delay_microseconds=delay_us
        ),
    )
    return Model(name, version, config, cast(Session, session))
