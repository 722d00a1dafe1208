"""Findings from queries and prices, for pages, files and the command line."""

from reports.errors import ReportError
from reports.figures import Figures
from reports.overview import WINDOWS, Fleet, Overview, Window, load_overview
from reports.price_book import load_catalogue
from reports.request_costs import RequestCost, RequestCosts, load_request_costs
from reports.targets import LatencyTargets, Targets, load_targets

__all__ = [
    "WINDOWS",
    "Figures",
    "Fleet",
    "LatencyTargets",
    "Overview",
    "ReportError",
    "RequestCost",
    "RequestCosts",
    "Targets",
    "Window",
    "load_catalogue",
    "load_overview",
    "load_request_costs",
    "load_targets",
]
