"""A session that executes when a test lets it, sessions to run out of, models made of them."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from inference_node.errors import RequestError
from inference_node.models.config import BatchingConfig, ModelConfig
from inference_node.models.repository import Model
from inference_node.models.session import Session, Tensor, TensorSpec
from inference_node.models.session_pool import SessionPool
from inference_node.models.source import ModelSource
from tests.unit.inference_node.virtual_time import PATIENCE_S

# What a gated session adds to every value: nobody's answer looks like anybody's request.
SHIFT = 1_000_000


class GatedSession:
    """Has input `x` and output `y` = x + SHIFT. Execution waits for `release` unless it is open."""

    def __init__(self, *, gated: bool = True) -> None:
        self.inputs = [TensorSpec("x", "INT64", (-1, -1))]
        self.outputs = [TensorSpec("y", "INT64", (-1, -1))]
        self.batches: list[list[int]] = []
        self.threads: list[str] = []
        self.failure: Exception | None = None
        self.lost_rows = 0
        self.gated = gated
        self.fingerprint = "f"
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
            self.threads.append(threading.current_thread().name)
        if self.gated:
            assert gate.wait(PATIENCE_S), "no test released this batch"
        if self.failure is not None:
            raise self.failure
        return [(values + SHIFT)[self.lost_rows :]]


class GatedSessions:
    """Up to `count` sessions of one model, `loaded` of which are there; a test loads the others."""

    def __init__(self, session: GatedSession, *, count: int = 100, loaded: int = 100) -> None:
        self.failure: RequestError | None = None
        self.asked = 0
        self.executed = 0
        self._session = cast(Session, session)
        self._free = min(count, loaded)
        self._loaded = self._free
        self._callbacks: list[Callable[[], object]] = []

    def take(self) -> Session | None:
        self.asked += 1
        if self._free == 0:
            return None
        self._free -= 1
        return self._session

    def borrow(self) -> Session | None:
        self.asked += 1
        return self._session if self._loaded else None

    def give_back(self, session: Session, requests: int = 1) -> None:
        assert session is self._session
        self.executed += requests
        self._free += 1

    def when_free(self, callback: Callable[[], object]) -> None:
        self._callbacks.append(callback)

    def load(self) -> None:
        """One more is there now."""
        self._free += 1
        self._loaded += 1
        self._call_back()

    def fail(self, failure: RequestError) -> None:
        """Loading has failed."""
        self.failure = failure
        self._call_back()

    def _call_back(self) -> None:
        for callback in self._callbacks:
            callback()


def model_of(
    session: GatedSession,
    *,
    name: str = "m",
    version: str = "1",
    max_batch_size: int = 4,
    delay_us: int = 1000,
    sessions: GatedSessions | SessionPool | None = None,
    batching: BatchingConfig | None = None,
) -> Model:
    """A model of pool `cpu`; `batching` replaces what `max_batch_size` and `delay_us` say."""
    config = ModelConfig(
        variant="fp32",
        batching=batching
        or BatchingConfig(max_batch_size=max_batch_size, max_queue_delay_microseconds=delay_us),
    )
    lent = cast(SessionPool, sessions or GatedSessions(session))
    source = ModelSource(Path("/models") / name / version, config)
    return Model(name, version, config, source, session.inputs, session.outputs, {"cpu": lent})
