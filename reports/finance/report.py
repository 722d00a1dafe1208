"""What a page shows of a finance file before it is written: which months there are, what it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from pathlib import Path

from costs import PriceBook
from costs.focus import HEADER
from costs.focus.provider import Provider
from costs.month import Month
from reports.finance.adjustment import to_cents
from reports.finance.files import PRECISION, preview
from reports.finance.problems import problems_of
from reports.finance.query import FinanceQuery
from reports.finance.source import charge_source
from store import open_reader, read_state


@dataclass(frozen=True)
class InvoiceLine:
    """What one provider's charges of one month come to; `cents` is what its invoice should say."""

    cloud: str
    provider: str
    account: str
    month: str
    charges: Decimal
    cents: Decimal


@dataclass(frozen=True)
class FinancePreview:
    """The beginning of a file, its columns by name, and what all of it comes to.

    `problems` are sentences about what the facts lack; `committed_at_us` is when the newest of them
    was stored.
    """

    rows: list[dict[str, str]]
    invoices: list[InvoiceLine]
    problems: list[str]
    committed_at_us: int


def load_months(database: Path) -> list[Month]:
    """Return the months that facts are stored of, the newest first. Raises StoreErrors."""
    with open_reader(database) as connection:
        state = read_state(connection)
    if state.first_fact_us is None or state.end_us is None:
        return []
    first, month = Month.at(state.first_fact_us), Month.at(state.end_us - 1)
    found = [month]
    while month > first:
        years, number = divmod(month.month - 2, 12)
        month = Month(month.year + years, number + 1)
        found.append(month)
    return found


def load_preview(
    database: Path,
    book: PriceBook,
    declared: Mapping[str, Provider],
    query: FinanceQuery,
    rows: int,
) -> FinancePreview:
    """Return the first `rows` of the file of `query`. Raises FinanceErrors and StoreErrors."""
    with charge_source(database, book, declared, query) as source, localcontext(prec=PRECISION):
        lines, plan = preview(source, rows)
        return FinancePreview(
            rows=[
                {name: cell or "" for name, cell in zip(HEADER, line, strict=True)}
                for line in lines
            ],
            invoices=[
                InvoiceLine(
                    each.cloud,
                    source.providers[each.cloud].name,
                    source.providers[each.cloud].account_id,
                    str(each.month),
                    charges,
                    to_cents(charges),
                )
                for each, charges in sorted(plan.billed.items())
            ],
            problems=problems_of(source),
            committed_at_us=source.facts.completeness.state.committed_at_us,
        )
