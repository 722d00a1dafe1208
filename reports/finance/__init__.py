"""The charges of a period as files for finance: FOCUS 1.2, and how they add up."""

from reports.finance.files import FinanceFiles, NamedBill, preview, write_files
from reports.finance.loading import load_bill, load_providers
from reports.finance.query import FinanceError, FinanceQuery, Grain, IdleRule
from reports.finance.reconciliation import Reconciliation
from reports.finance.source import ChargeSource, Plan, charge_source

__all__ = [
    "ChargeSource",
    "FinanceError",
    "FinanceFiles",
    "FinanceQuery",
    "Grain",
    "IdleRule",
    "NamedBill",
    "Plan",
    "Reconciliation",
    "charge_source",
    "load_bill",
    "load_providers",
    "preview",
    "write_files",
]
