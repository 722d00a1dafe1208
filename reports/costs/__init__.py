"""What was paid in a period, for what, and for whom: every part of it, adding up to the whole."""

from reports.costs.flows import Flow, Stage
from reports.costs.report import CostReport, load_costs
from reports.costs.savings import Savings
from reports.costs.slices import CostSlice
from reports.costs.spread import CostBin, load_cost_spread

__all__ = [
    "CostBin",
    "CostReport",
    "CostSlice",
    "Flow",
    "Savings",
    "Stage",
    "load_cost_spread",
    "load_costs",
]
