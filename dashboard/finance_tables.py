"""What the Finance page lists: invoices, how a file adds up, where a bill differs."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from dashboard.health_tables import table_html
from reports.finance import FinancePreview

# Of 68 columns those that a person reads first.
SHOWN = (
    ("ChargePeriodStart", "From"),
    ("ServiceName", "Service"),
    ("ResourceName", "Resource"),
    ("ChargeDescription", "Description"),
    ("PricingQuantity", "Quantity"),
    ("PricingUnit", "Unit"),
    ("ListUnitPrice", "List price"),
    ("ContractedUnitPrice", "Price"),
    ("EffectiveCost", "Amortised USD"),
    ("BilledCost", "Billed USD"),
    ("Tags", "Tags"),
)
MOST_DIFFERENCES = 30


def preview_frame(preview: FinancePreview) -> pd.DataFrame:
    """Return the first rows of the file as the columns that people read, as it spells them."""
    return pd.DataFrame(
        [[row[name] for name, _ in SHOWN] for row in preview.rows],
        columns=[title for _, title in SHOWN],
    )


def invoices_html(preview: FinancePreview) -> str:
    """Return what each provider's charges of a month come to."""
    rows = [
        (each.provider, each.account, each.month, exact(each.charges), f"{each.cents:,.2f}")
        for each in preview.invoices
    ]
    header = ("Provider:", "Account:", "Month:", "Charges, USD", "Invoice, USD")
    return table_html(header, rows, "There are no charges.")


def components_html(found: Mapping[str, Any]) -> str:
    """Return the sums of a file by what was paid for."""
    header = ("Part:", "Rows", "List", "Contracted", "Amortised", "Billed")
    rows = [_sums(name, sums) for name, sums in found["by_component"].items()]
    return table_html(header, [*rows, _sums("all", found["totals"])], "The file has no row.")


def explained_html(found: Mapping[str, Any]) -> str:
    """Return how the exact cost becomes the totals of the file."""
    explained = found["exact"]["explained"]
    words = {
        "exact_usd": "exact cost, amortised",
        "rounded_quantities_usd": "+ quantities in millionths",
        "adjustments_usd": "+ adjustments to the invoice",
        "effective_usd": "= amortised cost of the file",
        "paid_for_by_commitments_usd": "- paid for by commitments",
        "commitments_bought_usd": "+ commitments bought",
        "billed_usd": "= billed cost of the file",
    }
    amounts = {name: Decimal(explained[name]) for name in words}
    amounts["paid_for_by_commitments_usd"] *= -1
    rows = [(text, exact(amounts[name])) for name, text in words.items()]
    return table_html(("How it adds up:", "USD"), rows, "")


def differences_html(found: Mapping[str, Any]) -> str:
    """Return where the provider's bill differs from the charges, most first."""
    where = found["bill"]["where"]
    rows = [
        (
            each["dimension"],
            each["value"],
            exact(Decimal(each["charges_usd"])),
            exact(Decimal(each["bill_usd"])),
            exact(Decimal(each["difference_usd"])),
        )
        for each in where[:MOST_DIFFERENCES]
    ]
    header = ("By:", "Value:", "Charges, USD", "Bill, USD", "Difference, USD")
    is_total = not found["bill"]["lines"]
    empty = "The bill is a number: it does not say what for." if is_total else "Nothing differs."
    return table_html(header, rows, empty)


def bill_words(bill: Mapping[str, Any]) -> str:
    """Return what a bill has more or less than the charges, and what of it was not looked at."""
    usd = Decimal(bill["difference_usd"])
    words = f"{bill['name']}: it has {exact(abs(usd))} USD {'less' if usd < 0 else 'more'}"
    left_out = bill["lines_of_other_periods"]
    return f"{words}; {left_out:,} lines of other periods are left out" if left_out else words


def exact(amount: Decimal) -> str:
    """Return an amount with all its decimals, at least two, thousands separated."""
    text = f"{amount:,f}"
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _sums(name: str, sums: Mapping[str, Any]) -> Sequence[str]:
    amounts = (sums[f"{kind}_usd"] for kind in ("list", "contracted", "effective", "billed"))
    return (name, f"{sums['rows']:,}", *(exact(Decimal(amount)) for amount in amounts))
