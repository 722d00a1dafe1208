"""The user's rules in `data/prices/prices.toml`: tables [[discount]], [[fixed]] and [[own]].

    [[discount]]                      [[own]]
    name = "EDP 2026"                 name = "rack 7"
    cloud = "aws"                     region = "berlin"
    instance_type = "g5.*"            instance_type = "dgx-a100"
    percent = 12.5                    usd_per_hour = 9.80
    valid_from = 2026-01-01           as_of = 2026-02-01
    valid_to = 2027-01-01

`valid_to` is the first day without the rule; days begin at 00:00 UTC.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from costs.price import PURCHASE_OPTIONS
from costs.prices.glob import ANY
from costs.prices.override import Discount, Fixed, Overrides, Rule, Scope
from costs.prices.table import BYTE_ORDER_MARK, PriceFileError, day_us
from costs.prices.units import ACCEPTED, micro_usd

OWN = "own"
LONGEST = 100
_ALWAYS = ("name", "region", "instance_type", "purchase_option", "valid_from", "valid_to")
KEYS = {
    "discount": (*_ALWAYS, "cloud", "percent"),
    "fixed": (*_ALWAYS, "cloud", "usd_per_hour", "as_of", "source"),
    "own": (*_ALWAYS, "usd_per_hour", "as_of", "source"),
}
REQUIRED = {
    "discount": ("name", "percent"),
    "fixed": ("name", "cloud", "instance_type", "purchase_option", "usd_per_hour", "as_of"),
    "own": ("name", "instance_type", "region", "usd_per_hour", "as_of"),
}


def parse_overrides(text: str, name: str) -> Overrides:
    """Return the rules in `text`; `name` is the file's name. Raises PriceFileError."""
    try:
        document = tomllib.loads(text.removeprefix(BYTE_ORDER_MARK), parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise PriceFileError(f"{name}: {error}") from error
    rules: list[Rule] = []
    names: set[object] = set()
    for kind, tables in document.items():
        if kind not in KEYS:
            raise PriceFileError(f"{name}: {kind!r} is unknown; accepted: {_listed(KEYS)}")
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise PriceFileError(f"{name}: {kind} is no list of tables; accepted: [[{kind}]]")
        for number, table in enumerate(tables, 1):
            rules += _Table(kind, table, f"{name}: {kind} {number}").rules()
            if table["name"] in names:
                raise PriceFileError(
                    f"{name}: two rules have the name {table['name']!r}; accepted: a name for each"
                )
            names.add(table["name"])
    return Overrides(rules, name)


class _Table:
    """One table of the file and where it stands for error messages."""

    def __init__(self, kind: str, fields: Mapping[str, object], where: str) -> None:
        self._kind = kind
        self._fields = fields
        self._where = f"{where} ({fields['name']!r})" if "name" in fields else where
        for field in fields:
            if field not in KEYS[kind]:
                raise self._error(field, f"the fields {_listed(KEYS[kind])}", "is unknown")
        for field in REQUIRED[kind]:
            if field not in fields:
                raise self._error(field, f"all of {_listed(REQUIRED[kind])}", "is missing")

    def rules(self) -> list[Rule]:
        """Return the rule of the table; one for each purchase option for a machine named in full.

        Own machines have no purchase option of a provider, whatever a node says of itself.
        """
        effect = self._discount() if self._kind == "discount" else self._fixed()
        begin_us, end_us = self._day("valid_from"), self._day("valid_to")
        if begin_us is not None and end_us is not None and end_us <= begin_us:
            raise self._error("valid_to", "a day after valid_from")
        option = self._option()
        options = PURCHASE_OPTIONS if self._kind == "own" and option == ANY else (option,)
        return [
            Rule(
                self._text("name"),
                Scope(
                    OWN if self._kind == "own" else self._pattern("cloud"),
                    self._pattern("region"),
                    self._pattern("instance_type"),
                    each,
                ),
                effect,
                begin_us,
                end_us,
            )
            for each in options
        ]

    def _discount(self) -> Discount:
        percent = self._decimal("percent", "a percentage above 0, at most 100")
        if not 0 < percent <= 100:
            raise self._error("percent", "a percentage above 0, at most 100")
        return Discount(Fraction(percent))

    def _fixed(self) -> Fixed:
        accepted = f"USD per hour, {ACCEPTED}, at most six decimals"
        try:
            amount = micro_usd(self._decimal("usd_per_hour", accepted))
        except ValueError:
            raise self._error("usd_per_hour", accepted) from None
        if amount.denominator != 1:
            raise self._error("usd_per_hour", accepted)
        self._day("as_of")
        source = self._text("source") if "source" in self._fields else "prices.toml"
        return Fixed(int(amount), str(self._fields["as_of"]), source)

    def _option(self) -> str:
        option = self._fields.get("purchase_option", ANY)
        if option != ANY and option not in PURCHASE_OPTIONS:
            raise self._error("purchase_option", ", ".join(PURCHASE_OPTIONS))
        return str(option)

    def _pattern(self, field: str) -> str:
        pattern = self._text(field) if field in self._fields else ANY
        if len(pattern) > LONGEST or set(pattern) & set("[]"):
            raise self._error(field, f"a name or a pattern with * and ?, at most {LONGEST} long")
        return pattern

    def _text(self, field: str) -> str:
        text = self._fields[field]
        if not isinstance(text, str) or not text.strip():
            raise self._error(field, "a text in quotes")
        return text.strip()

    def _decimal(self, field: str, accepted: str) -> Decimal:
        number = self._fields[field]
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            raise self._error(field, accepted)
        value = Decimal(number)
        if not value.is_finite():
            raise self._error(field, accepted)
        return value

    def _day(self, field: str) -> int | None:
        day = self._fields.get(field)
        if day is None:
            return None
        if not isinstance(day, date) or isinstance(day, datetime):
            raise self._error(field, "a date like 2026-11-01, without quotes")
        try:
            return day_us(day)
        except ValueError:
            raise self._error(field, "a date of 1970 or later") from None

    def _error(self, field: str, accepted: str, fault: str = "") -> PriceFileError:
        fault = fault or f"is {self._fields[field]!s}"
        return PriceFileError(f"{self._where}: {field} {fault}; accepted: {accepted}")


def _listed(names: Mapping[str, object] | tuple[str, ...]) -> str:
    return ", ".join(names)
