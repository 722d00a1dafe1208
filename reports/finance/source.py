"""Where the charges of a period come from, and all of them as rows in the order of a file."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from costs import Machine, PriceBook
from costs.focus import order_of, second_text
from costs.focus.provider import Provider, Service, provider_of
from reports.at_rest import stored_by
from reports.byte_pricing import BytePricing
from reports.finance.bearers import Bearers
from reports.finance.charge import PICO_PER_USD, Charge, Charges, pico
from reports.finance.commitment_rows import purchase_charges, unused_charges
from reports.finance.coverage import Coverage
from reports.finance.days import Day, days_of
from reports.finance.machine_plan import MachinePlan, Segment
from reports.finance.machine_rows import MachineRows
from reports.finance.merged import merged
from reports.finance.metered import Meter
from reports.finance.network_rows import moved_by, network_charges
from reports.finance.plan import Plan
from reports.finance.query import FinanceError, FinanceQuery
from reports.finance.standing_rows import cache_charges, storage_charges
from reports.finance.terms import MachineTerms
from store import HOUR_US, Bytes, ChargeFacts, NodeStep, StoreState


class ChargeSource:
    """The charges of one query. What they are derived from was copied: the database is closed."""

    def __init__(
        self,
        facts: ChargeFacts,
        book: PriceBook,
        declared: Mapping[str, Provider],
        query: FinanceQuery,
    ) -> None:
        """Raises FinanceError where nothing is stored of the period, or a machine has no price."""
        self.facts = facts
        self.book = book
        self.query = query
        self.terms = MachineTerms(book.machines)
        self.bytes_at = BytePricing(book)
        self.overfull_steps = 0
        self.requests = 0
        period = query.period
        state = facts.completeness.state
        covered = (state.first_fact_us or period.to_us) < period.to_us and (
            (state.covered_to_us or 0) > period.from_us
        )
        self.paid_to_us = min(period.to_us, state.covered_to_us or 0)
        self.unpriced = self._unpriced()
        resources = book.resources
        self._stored = [
            each
            for each in stored_by(resources, facts.completeness.archive_sizes)
            if self._in(each.cloud)
        ]
        self._caches = [each for each in resources.caches if self._in(each.cloud)]
        self._commitments = [each for each in resources.commitments if self._in(each.machine.cloud)]
        clouds = {
            *facts.clouds(),
            *(each.cloud for each in self._stored),
            *(each.cloud for each in self._caches),
            *(each.machine.cloud for each in self._commitments),
        }
        if not covered or query.cloud not in {None, *clouds, *declared}:
            raise FinanceError(_nothing(query, state))
        self.providers = {cloud: declared.get(cloud) or provider_of(cloud) for cloud in clouds}
        _require_own_names(self.providers)

    def plan(self) -> Plan:
        """Return what the file will come to."""
        found = Plan()
        exact = Fraction(0)
        for step, segments in self._planned(uses=False):
            for segment in segments:
                found.bill(step.machine.cloud, step.from_us, pico(segment.billed_pico))
                exact += segment.exact_pico
        found.exact_usd["machine time"] = exact / PICO_PER_USD
        meter = Meter()
        for parts in moved_by(self._bytes(), self.bytes_at, meter):
            for part in parts:
                cost = part.price.quantity(part.units) * part.price.usd
                found.bill(part.of.cloud, part.of.from_us, cost)
        found.exact_usd["network"] = meter.exact_usd
        meters: dict[str, Meter] = {}
        by_name = {provider.name: cloud for cloud, provider in self.providers.items()}
        for charge in self._standing(meters):
            row = charge.row
            found.bill(by_name[row.provider_name], row.charge_period_start, row.billed_cost)
        for name, meter in meters.items():
            found.exact_usd[name] = meter.exact_usd
        return found

    def charges(self) -> Charges:
        """Yield all charges but adjustments, in the order of a file."""
        rows = MachineRows(
            self.providers,
            self.book,
            Bearers(
                self.query.idle, self.facts.owned_times(), self.terms, self.query.grain.step_us
            ),
            self.query.grain.step_us,
            self.book.changes(),
            self.query.invoice_id,
            self.facts.simulated_nodes(),
        )
        period = self.query.period
        days = days_of(period, self.book.changes(), period.to_us)
        moved = moved_by(self._bytes(), self.bytes_at, Meter())
        standing = sorted(self._standing({}), key=lambda charge: order_of(charge.row))
        yield from merged(
            rows.rows(self._planned(uses=True)),
            network_charges(
                moved,
                self.providers,
                {day.from_us: day.to_us for day in days},
                self.query.invoice_id,
            ),
            standing,
        )
        self.overfull_steps, self.requests = rows.overfull_steps, rows.requests

    def _planned(self, *, uses: bool) -> Iterator[tuple[NodeStep, list[Segment]]]:
        plan = MachinePlan(self.terms, Coverage(self._commitments, self._hours_end_us))
        order = self._clouds_by(lambda provider: provider.compute)
        return plan.segments(self.facts.node_steps(order, uses=uses))

    def _bytes(self) -> Iterator[Bytes]:
        return self.facts.bytes_by_day(self._clouds_by(lambda provider: provider.network))

    def _standing(self, meters: dict[str, Meter]) -> Iterator[Charge]:
        """Yield what time alone costs, in no order; `meters` get what it comes to exactly."""
        invoice_id = self.query.invoice_id
        yield from storage_charges(
            self._stored,
            self._days(),
            self.bytes_at,
            self.providers,
            meters.setdefault("storage", Meter()),
            invoice_id,
        )
        yield from cache_charges(
            self._caches,
            self._days(),
            self.providers,
            meters.setdefault("cache services", Meter()),
            invoice_id,
        )
        if not self._commitments:
            return
        yield from purchase_charges(
            self._commitments, self.query.period, self._hours_end_us, self.providers, invoice_id
        )
        yield from unused_charges(
            self._commitments,
            self.facts.reserved_hours(),
            self._days(),
            Coverage(self._commitments, self._hours_end_us),
            self.terms,
            self.providers,
            meters.setdefault("commitments unused", Meter()),
            invoice_id,
        )

    def _days(self) -> list[Day]:
        return list(days_of(self.query.period, self.book.changes(), self.paid_to_us))

    @property
    def _hours_end_us(self) -> int:
        """The end of the hour up to which facts are in."""
        return -(-self.paid_to_us // HOUR_US) * HOUR_US

    def _clouds_by(self, service: Callable[[Provider], Service]) -> list[str]:
        """Return the clouds in the order of the names of one of their services."""
        return sorted(self.providers, key=lambda cloud: service(self.providers[cloud]).name)

    def _in(self, cloud: str) -> bool:
        return self.query.cloud in (None, cloud)

    def _unpriced(self) -> dict[Machine, int]:
        """Return how long machines without a price ran, in microseconds."""
        found: dict[Machine, int] = {}
        for machine, from_us, uptime_us in self.facts.machines():
            if self.terms.of(machine, from_us) is None:
                found[machine] = found.get(machine, 0) + uptime_us
        if found and not self.query.leave_out_unpriced:
            names = "; ".join(
                f"{machine} ({uptime_us / HOUR_US:.2f} hours)"
                for machine, uptime_us in found.items()
            )
            raise FinanceError(
                f"no price is known for {names}; add a row to instances.csv or a rule to "
                "prices.toml in the folder of prices, or leave these machines out"
            )
        return found


@contextmanager
def charge_source(
    database: Path, book: PriceBook, declared: Mapping[str, Provider], query: FinanceQuery
) -> Iterator[ChargeSource]:
    """Copy the facts of `query` out of `database` and hand over their charges.

    `declared` are providers by cloud. Raises FinanceErrors and StoreErrors.
    """
    with tempfile.TemporaryDirectory(prefix="finance-") as folder:
        facts = ChargeFacts(
            database,
            Path(folder),
            query.period,
            query.grain.step_us,
            book.changes(),
            where=query.where,
        )
        try:
            yield ChargeSource(facts, book, declared, query)
        finally:
            facts.close()


def _nothing(query: FinanceQuery, state: StoreState) -> str:
    measured = "" if query.simulated else " that was measured"
    found = f"nothing{measured} is stored of {query.from_day} to {query.to_day}"
    if query.cloud is not None:
        found += f" in cloud {query.cloud}"
    if state.first_fact_us is None or state.last_fact_us is None:
        return found
    first, last = second_text(state.first_fact_us), second_text(state.last_fact_us)
    return f"{found}; facts are stored from {first} to {last}"


def _require_own_names(providers: Mapping[str, Provider]) -> None:
    """Require that no two clouds share an account: their charges would be mixed up."""
    for field_name in ("name", "account_id"):
        seen: dict[str, str] = {}
        for cloud, provider in sorted(providers.items()):
            value = getattr(provider, field_name)
            other = seen.setdefault(value, cloud)
            if other != cloud:
                raise FinanceError(
                    f"clouds {other} and {cloud} have the same {field_name}, {value!r}; accepted: "
                    "one for each (finance.toml)"
                )
