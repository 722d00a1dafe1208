"""Deterministic workloads and, on them, the what-if engine."""

from simulator.arrivals import bursty_arrivals, daily_arrivals, poisson_arrivals
from simulator.errors import WorkloadError
from simulator.population import Population, zipf_keys
from simulator.workload import PRIORITIES, Workload
from simulator.workload_csv import read_workload, write_workload

__all__ = [
    "PRIORITIES",
    "Population",
    "Workload",
    "WorkloadError",
    "bursty_arrivals",
    "daily_arrivals",
    "poisson_arrivals",
    "read_workload",
    "write_workload",
    "zipf_keys",
]
