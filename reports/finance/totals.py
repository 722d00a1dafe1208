"""What the rows of a file sum to, by what they are for."""

from dataclasses import dataclass, field
from decimal import Decimal

from costs.focus import Row, instant_text
from costs.invoice import Cell
from costs.invoice_file import instance_type
from reports.finance.charge import ZERO, Charge, Component


@dataclass
class Sums:
    """Rows and the four costs of them in USD."""

    rows: int = 0
    list_usd: Decimal = ZERO
    contracted_usd: Decimal = ZERO
    effective_usd: Decimal = ZERO
    billed_usd: Decimal = ZERO

    def add(self, row: Row) -> None:
        """Add a row."""
        self.rows += 1
        self.list_usd += row.list_cost
        self.contracted_usd += row.contracted_cost
        self.effective_usd += row.effective_cost
        self.billed_usd += row.billed_cost

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.rows + other.rows,
            self.list_usd + other.list_usd,
            self.contracted_usd + other.contracted_usd,
            self.effective_usd + other.effective_usd,
            self.billed_usd + other.billed_usd,
        )


# What is summed by at once: component, category of charge, service.
Group = tuple[Component, str, str]


@dataclass
class Totals:
    """Sums of a file. With `cells`, what is billed is also kept by day, region and type."""

    groups: dict[Group, Sums] = field(default_factory=dict)
    cells: dict[Cell, Decimal] | None = None

    def add(self, charge: Charge) -> None:
        """Add a row."""
        component, row = charge
        group = component, row.charge_category, row.service_name
        sums = self.groups.get(group)
        if sums is None:
            sums = self.groups[group] = Sums()
        sums.add(row)
        if self.cells is not None:
            cell = Cell(
                row.service_name,
                row.region_id,
                instance_type(row.sku_price_details),
                instant_text(row.charge_period_start)[:10],
            )
            self.cells[cell] = self.cells.get(cell, ZERO) + row.billed_cost

    @property
    def whole(self) -> Sums:
        """All rows together."""
        return sum(self.groups.values(), Sums())

    def by_component(self) -> dict[Component, Sums]:
        """Return the sums of every component that has rows."""
        found: dict[Component, Sums] = {}
        for (component, _, _), sums in self.groups.items():
            found[component] = found.get(component, Sums()) + sums
        return {component: found[component] for component in Component if component in found}

    def by_category(self) -> dict[str, Sums]:
        """Return the sums of every category of charge."""
        return self._by(1)

    def by_service(self) -> dict[str, Sums]:
        """Return the sums of every service."""
        return self._by(2)

    def _by(self, part: int) -> dict[str, Sums]:
        found: dict[str, Sums] = {}
        for group, sums in self.groups.items():
            key = str(group[part])
            found[key] = found.get(key, Sums()) + sums
        return dict(sorted(found.items()))
