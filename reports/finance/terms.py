"""On what terms machine time is charged: prices, and the commitment that covers it, if one does."""

from dataclasses import dataclass, field
from decimal import Decimal

from costs import Catalogue, Machine, Price, PriceMissingError
from costs.resources import Commitment


@dataclass(frozen=True)
class Terms:
    """Prices in micro-USD per hour; `category` is FOCUS's pricing category.

    `list` is the provider's public price, `contracted` what was negotiated, before any commitment.
    Where a `commitment` covers the time, nothing is billed for it, since it was paid for before.
    """

    machine: Machine
    list_micro_usd: int
    contracted_micro_usd: int
    category: str
    commitment: Commitment | None = None

    @property
    def list_price(self) -> Decimal:
        """The list price in USD per hour."""
        return Decimal(self.list_micro_usd).scaleb(-6)

    @property
    def contracted_price(self) -> Decimal:
        """The contracted price in USD per hour."""
        return Decimal(self.contracted_micro_usd).scaleb(-6)


@dataclass
class MachineTerms:
    """Terms by machine and instant."""

    catalogue: Catalogue
    _known: dict[tuple[Machine, int, str | None], Terms | None] = field(default_factory=dict)

    def of(
        self, machine: Machine, instant_us: int, commitment: Commitment | None = None
    ) -> Terms | None:
        """Return the terms of time of `machine`, covered by `commitment` where one is given.

        None where the machine has no price.
        """
        key = machine, instant_us, commitment.commitment_id if commitment else None
        if key not in self._known:
            if len(self._known) > 10_000:
                # Steps come in order: what was looked up long ago is not asked for again.
                self._known.clear()
            self._known[key] = self._work_out(machine, instant_us, commitment)
        return self._known[key]

    def beyond(self, machine: Machine, instant_us: int) -> Terms | None:
        """Return the terms of reserved time beyond every commitment: billed on demand.

        The contract's price where the catalogue has on demand none, or a cheaper one.
        """
        own = self.of(machine, instant_us)
        on_demand = self._price(_on_demand(machine), instant_us)
        if own is None or on_demand is None:
            return own
        if on_demand.micro_usd_per_hour <= own.contracted_micro_usd:
            return own
        return _terms(on_demand, _on_demand(machine))

    def _work_out(
        self, machine: Machine, instant_us: int, commitment: Commitment | None
    ) -> Terms | None:
        price = self._price(machine, instant_us)
        if price is None:
            return None
        on_demand = (
            self._price(_on_demand(machine), instant_us)
            if machine.purchase_option == "reserved"
            else None
        )
        if commitment is not None:
            # What the same machine would be without the commitment.
            plain = _terms(on_demand or price, machine)
            return Terms(
                machine, plain.list_micro_usd, plain.contracted_micro_usd, "Committed", commitment
            )
        own = _terms(price, machine)
        if on_demand is None:
            return own
        listed = max(own.list_micro_usd, _list(on_demand))
        return Terms(machine, listed, own.contracted_micro_usd, own.category)

    def _price(self, machine: Machine, instant_us: int) -> Price | None:
        try:
            return self.catalogue.at(machine, instant_us)
        except PriceMissingError:
            return None


def _terms(price: Price, machine: Machine) -> Terms:
    category = "Dynamic" if machine.purchase_option == "spot" else "Standard"
    return Terms(machine, _list(price), price.micro_usd_per_hour, category)


def _list(price: Price) -> int:
    listed = price.list_micro_usd_per_hour
    return price.micro_usd_per_hour if listed is None else listed


def _on_demand(machine: Machine) -> Machine:
    return Machine(machine.cloud, machine.region, machine.instance_type, "on_demand")
