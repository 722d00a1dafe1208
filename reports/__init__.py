"""Findings from queries and prices, for pages, files and the command line."""

from reports.errors import ReportError
from reports.figures import Figures
from reports.health import HealthReport, PriceAge, load_health
from reports.latency import LatencyReport, load_latency
from reports.overview import Fleet, Overview, load_overview
from reports.price_book import load_catalogue, load_price_book
from reports.quantiles import Quantile, quantile, share_above
from reports.request_costs import RequestCost, RequestCosts, load_request_costs
from reports.simulated import SimulatedShown, load_simulated
from reports.targets import LatencyTargets, Targets, load_targets
from reports.utilization import UtilizationReport, WorkerStep, load_utilization
from reports.window import WINDOWS, Frame, Window, of_requests

__all__ = [
    "WINDOWS",
    "Figures",
    "Fleet",
    "Frame",
    "HealthReport",
    "LatencyReport",
    "LatencyTargets",
    "Overview",
    "PriceAge",
    "Quantile",
    "ReportError",
    "RequestCost",
    "RequestCosts",
    "SimulatedShown",
    "Targets",
    "UtilizationReport",
    "Window",
    "WorkerStep",
    "load_catalogue",
    "load_health",
    "load_latency",
    "load_overview",
    "load_price_book",
    "load_request_costs",
    "load_simulated",
    "load_targets",
    "load_utilization",
    "of_requests",
    "quantile",
    "share_above",
]
