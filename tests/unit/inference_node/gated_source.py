"""Sessions that are loaded when a test lets them, and pools of them."""

import threading
from collections.abc import Callable
from typing import cast

from inference_node.errors import StartError
from inference_node.models.config import ScalingConfig
from inference_node.models.session import Session
from inference_node.models.session_pool import SessionPool
from tests.unit.inference_node.gated_session import GatedSession
from tests.unit.inference_node.virtual_time import PATIENCE_S, ManualClock

LOAD_US = 700
WARM_UP_US = 50


class GatedSource:
    """Opens a new session each time, which takes LOAD_US, or fails while `broken`.

    Loads wait for `gate` while it is shut.
    """

    def __init__(self, clock: ManualClock) -> None:
        self.begun = 0
        self.broken = False
        self.fingerprint = "f"
        self.defect: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self._clock = clock

    def open(self) -> Session:
        self.begun += 1
        assert self.gate.wait(PATIENCE_S), "no test let this load go on"
        if self.broken:
            raise StartError("/srv/models/m/1/model.onnx: not a usable ONNX model")
        if self.defect is not None:
            raise self.defect
        self._clock.us += LOAD_US
        session = GatedSession()
        session.fingerprint = self.fingerprint
        return cast(Session, session)

    def warm_up(self, session: Session) -> None:
        assert session.inputs
        self._clock.us += WARM_UP_US


def pool_of(
    clock: ManualClock, source: GatedSource, scaling: ScalingConfig, *, workers: int = 4
) -> SessionPool:
    """Return a pool as a node has it when it begins to serve."""
    pool = SessionPool(
        "m",
        "1",
        device="cpu",
        workers=workers,
        scaling=scaling,
        open_session=source.open,
        warm_up=source.warm_up,
        clock=clock,
    )
    pool.open_first()
    return pool


def taken(pool: SessionPool) -> Session:
    """Take a session that must be there."""
    session = pool.take()
    assert session is not None
    return session


def settled(pool: SessionPool) -> Callable[[], bool]:
    """Return what is true when no load is on its way."""
    return lambda: pool.loading == 0
