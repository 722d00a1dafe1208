"""How a finance file adds up, and how whole the facts behind it are: what stands beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from costs import TICKS_PER_USD, to_usd
from costs.focus import decimal_text, instant_text, second_text
from reports.finance.bill_match import BillMatch
from reports.finance.charge import Component, Invoice
from reports.finance.plan import Plan
from reports.finance.problems import problems_of
from reports.finance.source import ChargeSource
from reports.finance.totals import Sums, Totals
from store import HOUR_US, gaps

EXACT_PLACES = 18
# What each part of the exact total is in the file.
PARTS: Mapping[str, tuple[Component, ...]] = {
    "machine time": (Component.USED, Component.IDLE),
    "network": (Component.NETWORK,),
    "storage": (Component.STORAGE,),
    "cache services": (Component.CACHE,),
    "commitments unused": (Component.UNUSED,),
}


@dataclass(frozen=True)
class FileFacts:
    """A file as it lies there."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Part:
    """A part of the bill: what it comes to exactly, and in the file. Amortised, in USD."""

    name: str
    exact_usd: Fraction
    file_usd: Decimal

    @property
    def rounding_usd(self) -> Fraction:
        """What the file has more because quantities have six decimals."""
        return Fraction(self.file_usd) - self.exact_usd


@dataclass(frozen=True)
class Reconciliation:
    """Everything that stands beside a file. `problems` are sentences; none where all is whole."""

    source: ChargeSource
    totals: Totals
    parts: list[Part]
    billed: Mapping[Invoice, Decimal]
    files: Sequence[FileFacts]
    match: BillMatch | None

    @property
    def problems(self) -> list[str]:
        """What is missing of the facts, one sentence each."""
        return problems_of(self.source)

    def as_json(self) -> Mapping[str, object]:
        """Return it as it is written: amounts are texts of exact decimals."""
        source, query = self.source, self.source.query
        completeness = source.facts.completeness
        return {
            "period": {
                "from": instant_text(query.period.from_us),
                "to": instant_text(query.period.to_us),
                "grain": query.grain.value,
                "idle": str(query.idle),
                "cloud": query.cloud,
                "simulated": "included" if query.simulated else "left out",
            },
            "files": [
                {"name": each.name, "bytes": each.size_bytes, "sha256": each.sha256}
                for each in self.files
            ],
            "rows": self.totals.whole.rows,
            "totals": _sums(self.totals.whole),
            "by_component": {k.value: _sums(v) for k, v in self.totals.by_component().items()},
            "by_charge_category": {k: _sums(v) for k, v in self.totals.by_category().items()},
            "by_service": {k: _sums(v) for k, v in self.totals.by_service().items()},
            "exact": {
                "parts": [
                    {
                        "part": part.name,
                        "exact_usd": _exact(part.exact_usd),
                        "file_usd": decimal_text(part.file_usd),
                        "rounding_usd": _exact(part.rounding_usd),
                    }
                    for part in self.parts
                ],
                "explained": _explained(self.parts, self.totals),
            },
            "invoices": [self._invoice(each, usd) for each, usd in sorted(self.billed.items())],
            "bill": None if self.match is None else self.match.as_json(),
            "requests": {
                "stored": completeness.requests,
                "in_file": source.requests,
                "without_machine_time": completeness.homeless,
                "without_measured_share": completeness.unmeasured,
            },
            "completeness": {
                "whole": not self.problems,
                "problems": self.problems,
                "newest_fact": _instant(completeness.state.last_fact_us),
                "facts_up_to": _instant(completeness.state.covered_to_us),
                "rejected_lines": completeness.state.rejected_lines,
                "dropped_facts": {each.node_id: each.facts for each in completeness.dropped},
                "missing_records": {
                    f"{boot.node_id}/{boot.boot_id}": boot.missing_before + boot.missing_within
                    for boot in gaps(completeness.boots)
                },
                "unpriced_machines": {
                    str(machine): f"{uptime_us / HOUR_US:.6f} hours"
                    for machine, uptime_us in source.unpriced.items()
                },
                "unpriced_bytes": sorted(source.bytes_at.missing),
                "steps_with_more_use_than_time": source.overfull_steps,
            },
        }

    def _invoice(self, invoice: Invoice, billed: Decimal) -> Mapping[str, object]:
        provider = self.source.providers[invoice.cloud]
        return {
            "provider": provider.name,
            "account": provider.account_id,
            "month": str(invoice.month),
            "charges_usd": decimal_text(billed),
        }


def reconcile(
    source: ChargeSource,
    plan: Plan,
    totals: Totals,
    files: Sequence[FileFacts] = (),
    match: BillMatch | None = None,
) -> Reconciliation:
    """Return how a file of `totals` relates to what it should come to."""
    by_component = totals.by_component()
    parts = []
    for name, components in PARTS.items():
        if name in plan.exact_usd:
            found = sum((by_component.get(each, Sums()) for each in components), Sums())
            parts.append(Part(name, plan.exact_usd[name], found.effective_usd))
    return Reconciliation(source, totals, parts, plan.billed, files, match)


def _explained(parts: Sequence[Part], totals: Totals) -> Mapping[str, str]:
    """Return how the exact cost becomes the file's amortised and billed totals."""
    by_component = totals.by_component()
    unused = by_component.get(Component.UNUSED, Sums())
    purchases = by_component.get(Component.PURCHASE, Sums())
    adjusted = by_component.get(Component.ADJUSTMENT, Sums())
    covered = totals.whole.effective_usd - totals.whole.billed_usd + purchases.billed_usd
    return {
        "exact_usd": _exact(sum((part.exact_usd for part in parts), Fraction(0))),
        "rounded_quantities_usd": _exact(sum((part.rounding_usd for part in parts), Fraction(0))),
        "adjustments_usd": decimal_text(adjusted.effective_usd),
        "effective_usd": decimal_text(totals.whole.effective_usd),
        "paid_for_by_commitments_usd": decimal_text(-covered),
        "of_which_unused_usd": decimal_text(-unused.effective_usd),
        "commitments_bought_usd": decimal_text(purchases.billed_usd),
        "billed_usd": decimal_text(totals.whole.billed_usd),
    }


def _sums(sums: Sums) -> Mapping[str, object]:
    return {
        "rows": sums.rows,
        "list_usd": decimal_text(sums.list_usd),
        "contracted_usd": decimal_text(sums.contracted_usd),
        "effective_usd": decimal_text(sums.effective_usd),
        "billed_usd": decimal_text(sums.billed_usd),
    }


def _exact(usd: Fraction) -> str:
    return decimal_text(to_usd(usd * TICKS_PER_USD, EXACT_PLACES))


def _instant(at_us: int | None) -> str | None:
    return None if at_us is None else second_text(at_us)
