"""The charges of a period as files for finance: FOCUS 1.2, and how they add up."""

from reports.finance.bill_match import NamedBill
from reports.finance.files import FinanceFiles, preview, write_files
from reports.finance.loading import load_bill, load_providers, read_total, read_uploaded_bill
from reports.finance.plan import Plan
from reports.finance.query import FinanceError, FinanceQuery, Grain, IdleRule
from reports.finance.reconciliation import Reconciliation
from reports.finance.report import FinancePreview, InvoiceLine, load_months, load_preview
from reports.finance.source import ChargeSource, charge_source

__all__ = [
    "ChargeSource",
    "FinanceError",
    "FinanceFiles",
    "FinancePreview",
    "FinanceQuery",
    "Grain",
    "IdleRule",
    "InvoiceLine",
    "NamedBill",
    "Plan",
    "Reconciliation",
    "charge_source",
    "load_bill",
    "load_months",
    "load_preview",
    "load_providers",
    "preview",
    "read_total",
    "read_uploaded_bill",
    "write_files",
]
