"""Sessions follow the load: the rule of the Kubernetes HPA, and none where nobody asks."""

import asyncio
from collections.abc import Iterable

from inference_node.clock import Clock
from inference_node.models.session_pool import SessionPool
from simulator.hpa.ratio import Tolerance, clamp, desired_replicas
from simulator.hpa.stabilization import Stabilizer, Windows

TOLERANCE = Tolerance(scale_down=0.1, scale_up=0.1)


class Autoscaler:
    """Sets the number of sessions of every pool, each at its own interval."""

    def __init__(self, pools: Iterable[SessionPool], clock: Clock) -> None:
        self._pools = list(pools)
        self._clock = clock

    async def run(self) -> None:
        """Load what is missing to the minimum, then scale until cancelled."""
        async with asyncio.TaskGroup() as group:
            for pool in self._pools:
                pool.scale_to(max(pool.scaling.min_sessions, pool.target))
                group.create_task(self._scale(pool))
                if pool.scaling.min_sessions == 0:
                    group.create_task(self._unload_when_idle(pool))

    async def _scale(self, pool: SessionPool) -> None:
        scaling = pool.scaling
        stabilizer = Stabilizer(
            Windows(scale_down_us=round(scaling.scale_down_stabilization_seconds * 1e6))
        )
        load = _Load(pool)
        while True:
            await asyncio.sleep(scaling.interval_seconds)
            ratios = load.ratios()
            # Of none there is no load per session: the first one is a matter of demand.
            if pool.ready:
                desired = desired_replicas(pool.ready, ratios, TOLERANCE)
                if pool.loading:  # what was decided before is not there yet
                    desired = max(desired, pool.target)
                advised = stabilizer.replicas(self._clock.now_us(), pool.target, desired)
                pool.scale_to(clamp(advised, max(scaling.min_sessions, 1), pool.max_sessions))

    async def _unload_when_idle(self, pool: SessionPool) -> None:
        idle_us = round(pool.scaling.idle_seconds * 1e6)
        while True:
            left_us = pool.used_at_us + idle_us - self._clock.now_us()
            if left_us <= 0 and not pool.busy and pool.ready:
                pool.scale_to(0)
            await asyncio.sleep((left_us if left_us > 0 else idle_us) / 1e6)


class _Load:
    """What the sessions of a pool did from one look to the next, against the targets."""

    def __init__(self, pool: SessionPool) -> None:
        self._pool = pool
        self._seen = self._totals()

    def ratios(self) -> list[float | None]:
        """Return use and, where it has a target, rate of requests as ratios to their targets.

        Both are averages over the sessions that were ready; None where none was.
        """
        before, self._seen = self._seen, self._totals()
        busy_us, ready_us, requests = (
            now - then for now, then in zip(self._seen, before, strict=True)
        )
        scaling = self._pool.scaling
        if not ready_us:
            return [None]
        ratios: list[float | None] = [busy_us / ready_us / scaling.target_utilization]
        if scaling.target_requests_per_second is not None:
            ratios.append(requests * 1e6 / ready_us / scaling.target_requests_per_second)
        return ratios

    def _totals(self) -> tuple[int, int, int]:
        return self._pool.busy_us(), self._pool.ready_us(), self._pool.requests
