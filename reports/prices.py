"""What price holds now, where it is from and how old it is: of what ran, and of the whole book."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from costs import (
    Catalogue,
    CommitmentOffer,
    Machine,
    Price,
    PriceBook,
    PriceMissingError,
    StoragePrice,
    TransferPrice,
)
from costs.prices.as_of import days_old
from costs.prices.dated import Dated
from costs.prices.override import Rule
from costs.prices.transfer import INGRESS
from costs.prices.units import UNIT_BYTES
from reports.window import Window, whole
from store import EVERYTHING, MINUTE_US, Filter, Period, open_reader, read_state, read_uptimes

MACHINES, COMMITMENTS, TRANSFER, STORAGE = "machines", "commitments", "transfer", "storage"
KINDS = (MACHINES, COMMITMENTS, TRANSFER, STORAGE)
UNITS = {size: unit for unit, size in UNIT_BYTES.items()}
MEASURED = Filter(simulated=("no",))

Key = TypeVar("Key", bound=tuple[str | int, ...])
FactT = TypeVar("FactT", CommitmentOffer, TransferPrice, StoragePrice)


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
    """A rule of the user: whether it holds now, and how many prices of machines it decides."""

    rule: Rule
    holds: bool
    prices: int


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
    # An own machine has a rule for each purchase option, a commitment for each stretch of time.
    rules = {(r.name, r.from_us, r.to_us): r for r in book.machines.overrides.rules}
    return PriceReport(
        now_us,
        {
            MACHINES: machines,
            COMMITMENTS: list(_commitments(book, now_us)),
            TRANSFER: list(_transfers(book, now_us)),
            STORAGE: list(_storage(book, now_us)),
        },
        [
            RuleUse(rule, holds := rule.from_us <= now_us < rule.to_us, holds * decided[rule.name])
            for rule in rules.values()
        ],
    )


def search(rows: Iterable[PriceRow], text: str) -> list[PriceRow]:
    """Return the rows that have every word of `text` somewhere, in whatever case."""
    wanted = text.lower().split()
    return [row for row in rows if all(word in row.words for word in wanted)]


def load_ran_machines(
    database: Path,
    catalogue: Catalogue,
    window: Window,
    now_us: int,
    where: Filter = EVERYTHING,
) -> list[RanMachine] | None:
    """Return every machine that ran in the last `window` before `now_us`, with its price now.

    Of `where` counts only whether simulated runs do. None where the database holds no fact of them.
    Raises StoreErrors.
    """
    where = Filter(simulated=where.simulated)
    to_us = now_us // MINUTE_US * MINUTE_US + MINUTE_US
    with open_reader(database) as connection:
        if read_state(connection, where).last_fact_us is None:
            return None
        ran = whole(connection, Period(to_us - window.length_us, to_us))
        every, measured = (
            {row.time.machine for row in read_uptimes(connection, ran, ran.length_us, (), where=w)}
            for w in (where, MEASURED)
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
    machine, listed = price.machine, price.list_micro_usd_per_hour
    return PriceRow(
        cloud=machine.cloud,
        region=machine.region,
        item=machine.instance_type,
        option=machine.purchase_option,
        micro_usd=Fraction(price.micro_usd_per_hour),
        per="hour",
        list_micro_usd=None if listed is None else Fraction(listed),
        override=price.override,
        valid_from_us=price.valid_from_us,
        as_of=price.as_of,
        days=days_old(price.as_of, now_us),
        source=price.source,
    )


def _commitments(book: PriceBook, now_us: int) -> Iterator[PriceRow]:
    for offer in _in_force(book.commitments, now_us):
        years = "1 year" if offer.term_years == 1 else f"{offer.term_years} years"
        option = f"{offer.offering}, {years}, {offer.payment}".replace("_", " ")
        cost = offer.effective.micro_usd, "hour"
        yield _row(offer, offer.instance_type, option, *cost, now_us)


def _transfers(book: PriceBook, now_us: int) -> Iterator[PriceRow]:
    for price in _in_force(book.transfers, now_us):
        unit = UNITS[price.unit_bytes]
        item = price.to if price.to == INGRESS else f"to {price.to}".replace("_", " ")
        for tier in price.tiers:
            beyond = f"beyond {tier.from_bytes // price.unit_bytes:,} {unit} a month: not applied"
            option = beyond if tier.from_bytes else ""
            yield _row(price, item, option, tier.micro_usd, unit, now_us)


def _storage(book: PriceBook, now_us: int) -> Iterator[PriceRow]:
    for price in _in_force(book.storage, now_us):
        option, unit = price.storage_class.replace("_", " "), f"{UNITS[price.unit_bytes]}-month"
        yield _row(price, price.product, option, price.price.micro_usd, unit, now_us)


def _in_force(facts: Dated[Key, FactT], now_us: int) -> Iterator[FactT]:
    """Yield the fact of each key that holds at `now_us`, by key."""
    for key in sorted(facts.known()):
        fact = facts.at(key, now_us)
        if fact is not None:
            yield fact


def _row(
    fact: CommitmentOffer | TransferPrice | StoragePrice,
    item: str,
    option: str,
    micro_usd: Fraction,
    per: str,
    now_us: int,
) -> PriceRow:
    """Return a fact that no rule is for as a row."""
    return PriceRow(
        cloud=fact.cloud,
        region=fact.region,
        item=item,
        option=option,
        micro_usd=micro_usd,
        per=per,
        list_micro_usd=None,
        override=None,
        valid_from_us=fact.valid_from_us,
        as_of=fact.as_of,
        days=days_old(fact.as_of, now_us),
        source=fact.source,
    )
