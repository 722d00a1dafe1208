"""What to run on, where, and how to buy it: choices by computation; pure."""

from costs.choice.demand import (
    Demand,
    Latency,
    LatencyBound,
    RegionQuestion,
    Site,
    Statistic,
    Users,
)
from costs.choice.instance import (
    Candidate,
    InstanceChoice,
    Load,
    Needs,
    ServiceRate,
    rank_instances,
    scaled_rate,
)
from costs.choice.offers import ReservedOffer, Spot, hourly_interruption
from costs.choice.purchase import HourMix, Layer, PurchaseMix, cheapest_mix
from costs.choice.region import RegionCost, RegionPlan, rank_regions
from costs.choice.shortfall import Shortfall

__all__ = [
    "Candidate",
    "Demand",
    "HourMix",
    "InstanceChoice",
    "Latency",
    "LatencyBound",
    "Layer",
    "Load",
    "Needs",
    "PurchaseMix",
    "RegionCost",
    "RegionPlan",
    "RegionQuestion",
    "ReservedOffer",
    "ServiceRate",
    "Shortfall",
    "Site",
    "Spot",
    "Statistic",
    "Users",
    "cheapest_mix",
    "hourly_interruption",
    "rank_instances",
    "rank_regions",
    "scaled_rate",
]
