"""What pages read, kept until something new was committed or a file of prices changed."""

from dashboard.readings.budgets import read_budget_report
from dashboard.readings.choices import Choices, read_choices
from dashboard.readings.costs import read_cost_spread, read_costs
from dashboard.readings.finance import read_finance_months, read_finance_preview
from dashboard.readings.health import read_health
from dashboard.readings.latency import read_latency
from dashboard.readings.overview import read_overview
from dashboard.readings.prices import read_price_report, read_ran_machines
from dashboard.readings.requests import read_requests
from dashboard.readings.simulated import read_simulated
from dashboard.readings.targets import read_targets
from dashboard.readings.utilization import read_utilization
from dashboard.readings.weekly import read_recorded_weeks, read_weekly

__all__ = [
    "Choices",
    "read_budget_report",
    "read_choices",
    "read_cost_spread",
    "read_costs",
    "read_finance_months",
    "read_finance_preview",
    "read_health",
    "read_latency",
    "read_overview",
    "read_price_report",
    "read_ran_machines",
    "read_recorded_weeks",
    "read_requests",
    "read_simulated",
    "read_targets",
    "read_utilization",
    "read_weekly",
]
