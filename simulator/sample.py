"""The product's sample workload, data/samples/arrivals.csv, as a function of its seed."""

import numpy as np

from simulator.arrivals import bursty_arrivals, daily_arrivals
from simulator.population import Population
from simulator.workload import Workload

SEED = 20_260_117
DURATION_S = 300.0
# Inputs asked for: no more than data/samples/digits.npz has images, so that no two share one.
KEYS = 360


def sample_workload() -> Workload:
    """Return about 9,000 requests in 300 s: a day compressed into five minutes, with bursts.

    Two services follow the day, mostly with someone waiting; a research team sends bursts of
    batch work on top of its own small share of the day. Times are whole microseconds.
    """
    rng = np.random.default_rng(SEED)
    day = Population(
        keys=KEYS,
        tenants={"shop": 0.68, "search": 0.30, "lab": 0.02},
        priorities={"high": 0.25, "normal": 0.72, "batch": 0.03},
    )
    bursts = Population(keys=KEYS, tenants={"lab": 1.0}, priorities={"normal": 0.3, "batch": 0.7})
    by_day = day.workload(
        rng, daily_arrivals(rng, 24.0, DURATION_S, peak_to_mean=1.6, period_s=DURATION_S)
    )
    in_bursts = bursts.workload(
        rng,
        bursty_arrivals(
            rng, 6.0, DURATION_S, burst_factor=12.0, mean_burst_s=5.0, mean_quiet_s=40.0
        ),
    )
    parts = (by_day, in_bursts)
    return Workload.of(
        np.concatenate([part.arrived_at_s for part in parts]).round(6),
        key=np.concatenate([part.key for part in parts]),
        priority=np.concatenate([part.priority for part in parts]),
        tenant=np.concatenate([part.tenant for part in parts]),
    )
