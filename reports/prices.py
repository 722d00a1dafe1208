"""What price holds now, where it is from and how old it is: of what ran, and of the whole book."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from costs import Machine, Price, PriceBook, PriceMissingError
from costs.catalogue import Catalogue
from costs.prices.as_of import days_old
from costs.prices.override import Rule
from costs.prices.transfer import TransferPrice
from costs.prices.units import UNIT_BYTES
from reports.window import Window, whole
from store import EVERYTHING, MINUTE_US, Filter, Period, open_reader, read_state, read_uptimes

MACHINES, COMMITMENTS, TRANSFER, STORAGE = "machines", "commitments", "transfer", "storage"
KINDS = (MACHINES, COMMITMENTS, TRANSFER, STORAGE)
UNITS = {size: unit for unit, size in UNIT_BYTES.items()}
MEASURED = Filter(simulated=("no",))


@dataclass(frozen=True)
class PriceRow:
    """A price in force. `per` is what `micro_usd` is for: "hour", "GB", "GiB-month".

    `option` says how it is bought, or from where on a tier holds. `list_micro_usd` is the list
    price under a rule of the user, which `override` names. `days` is how old it is, at most.
    """

    cloud: str
    region: str
    item: str
    option: str
    micro_usd: Fraction
    per: str
    list_micro_usd: Fraction | None
    override: str | None
    valid_from_us: int | None
    as_of: str
    days: int | None
    source: str

    @property
    def words(self) -> str:
        """Everything that a reader may search for, in lower case."""
        parts = (self.cloud, self.region, self.item, self.option, self.override or "", self.source)
        return " ".join(parts).lower()


@dataclass(frozen=True)
class RanMachine:
    """A machine that ran, and its price; None where none is known. `simulated`: it never did."""

    machine: Machine
    price: PriceRow | None
    simulated: bool


@dataclass(frozen=True)
class RuleUse:
    """A rule of the user: whether it holds now, and the price of how many machines it decides."""

    rule: Rule
    holds: bool
    machines: int


@dataclass(frozen=True)
class PriceReport:
    """The prices in force at `now_us`, by kind, and the user's rules."""

    now_us: int
    rows: dict[str, list[PriceRow]]
    rules: list[RuleUse]


def price_report(book: PriceBook, now_us: int) -> PriceReport:
    """Return every price of `book` that holds at `now_us`."""
    machines = list(_machines(book.machines, now_us))
    decided = Counter(row.override for row in machines)
    # An own machine has a rule for each purchase option, all of one name.
    rules = {rule.name: rule for rule in book.machines.overrides.rules}
    return PriceReport(
        now_us,
        {
            MACHINES: machines,
            COMMITMENTS: list(_commitments(book, now_us)),
            TRANSFER: list(_transfers(book, now_us)),
            STORAGE: list(_storage(book, now_us)),
        },
        [
            RuleUse(rule, rule.from_us <= now_us < rule.to_us, decided[rule.name])
            for rule in rules.values()
        ],
    )


def search(rows: Iterable[PriceRow], text: str) -> list[PriceRow]:
    """Return the rows that have every word of `text` somewhere, in whatever case."""
    wanted = text.lower().split()
    return [row for row in rows if all(word in row.words for word in wanted)]


def load_ran_machines(
    database: Path, catalogue: Catalogue, window: Window, now_us: int
) -> list[RanMachine] | None:
    """Return every machine that ran in the last `window` before `now_us`, with its price now.

    None where the database holds no fact. Raises StoreErrors.
    """
    to_us = now_us // MINUTE_US * MINUTE_US + MINUTE_US
    with open_reader(database) as connection:
        if read_state(connection).last_fact_us is None:
            return None
        ran = whole(connection, Period(to_us - window.length_us, to_us))
        every, measured = (
            {row.time.machine for row in read_uptimes(connection, ran, ran.length_us, (), where=w)}
            for w in (EVERYTHING, MEASURED)
        )
    return [
        RanMachine(machine, _row_of(catalogue, machine, now_us), machine not in measured)
        for machine in sorted(every)
    ]


def _row_of(catalogue: Catalogue, machine: Machine, now_us: int) -> PriceRow | None:
    try:
        return machine_row(catalogue.at(machine, now_us), now_us)
    except PriceMissingError:
        return None


def _machines(catalogue: Catalogue, now_us: int) -> Iterator[PriceRow]:
    for machine in catalogue.machines():
        row = _row_of(catalogue, machine, now_us)
        # None where its first price is announced, or its last rule has ended.
        if row is not None:
            yield row


def machine_row(price: Price, now_us: int) -> PriceRow:
    """Return the price of a machine as a row."""
    machine: Machine = price.machine
    listed = price.list_micro_usd_per_hour
    return PriceRow(
        machine.cloud,
        machine.region,
        machine.instance_type,
        machine.purchase_option,
        Fraction(price.micro_usd_per_hour),
        "hour",
        None if listed is None else Fraction(listed),
        price.override,
        price.valid_from_us,
        price.as_of,
        days_old(price.as_of, now_us),
        price.source,
    )


def _commitments(book: PriceBook, now_us: int) -> Iterator[PriceRow]:
    for key in sorted(book.commitments.known()):
        offer = book.commitments.at(key, now_us)
        if offer is not None:
            years = "1 year" if offer.term_years == 1 else f"{offer.term_years} years"
            yield PriceRow(
                offer.cloud,
                offer.region,
                offer.instance_type,
                f"{offer.offering}, {years}, {offer.payment}".replace("_", " "),
                offer.effective.micro_usd,
                "hour",
                None,
                None,
                offer.valid_from_us,
                offer.as_of,
                days_old(offer.as_of, now_us),
                offer.source,
            )


def _transfers(book: PriceBook, now_us: int) -> Iterator[PriceRow]:
    for key in sorted(book.transfers.known()):
        price = book.transfers.at(key, now_us)
        if price is not None:
            yield from _tiers(price, now_us)


def _tiers(price: TransferPrice, now_us: int) -> Iterator[PriceRow]:
    unit = UNITS[price.unit_bytes]
    for tier in price.tiers:
        beyond = f"beyond {tier.from_bytes // price.unit_bytes:,} {unit} a month: not applied"
        yield PriceRow(
            price.cloud,
            price.region,
            f"to {price.to}".replace("_", " ") if price.to != "ingress" else "ingress",
            beyond if tier.from_bytes else "",
            tier.micro_usd,
            unit,
            None,
            None,
            price.valid_from_us,
            price.as_of,
            days_old(price.as_of, now_us),
            price.source,
        )


def _storage(book: PriceBook, now_us: int) -> Iterator[PriceRow]:
    for key in sorted(book.storage.known()):
        price = book.storage.at(key, now_us)
        if price is not None:
            yield PriceRow(
                price.cloud,
                price.region,
                price.product,
                price.storage_class.replace("_", " "),
                price.price.micro_usd,
                f"{UNITS[price.unit_bytes]}-month",
                None,
                None,
                price.valid_from_us,
                price.as_of,
                days_old(price.as_of, now_us),
                price.source,
            )
