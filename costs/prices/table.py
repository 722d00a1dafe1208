"""Price files as rows of text fields: CSV with a fixed header; lines from # on are comments.

Every error is a PriceFileError that names file, line, field, value and what is accepted.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction

from costs.prices.units import ACCEPTED, exact, micro_usd

SECOND_US = 1_000_000
BYTE_ORDER_MARK = "\ufeff"
MOST_DECIMALS = 12
FIRST_YEAR = 1970


class PriceFileError(ValueError):
    """A price file that cannot be read; the message names file, line, field, value and remedy."""


@dataclass(frozen=True)
class Row:
    """The fields of a row, and `where` it stands for error messages."""

    fields: dict[str, str]
    where: str

    def error(self, field: str, accepted: str) -> PriceFileError:
        """Return the error that `field` does not hold what is `accepted`."""
        return PriceFileError(
            f"{self.where}: {field} is {self.fields[field]!r}; accepted: {accepted}"
        )

    def text(self, field: str) -> str:
        """Return a field that may not be empty."""
        if not self.fields[field]:
            raise PriceFileError(f"{self.where}: {field} is empty; a value is required")
        return self.fields[field]

    def choice(self, field: str, accepted: Iterable[str]) -> str:
        """Return a field that is one of `accepted`."""
        if self.fields[field] not in accepted:
            raise self.error(field, ", ".join(accepted))
        return self.fields[field]

    def whole(self, field: str, least: int = 0) -> int:
        """Return a field that is a whole number of `least` or more."""
        text = self.fields[field]
        if not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) < least:
            raise self.error(field, f"a whole number, {least} or more")
        return int(text)

    def whole_or_none(self, field: str) -> int | None:
        """Return a field that is a whole number, None where it is empty."""
        return self.whole(field) if self.fields[field] else None

    def number(self, field: str) -> Fraction:
        """Return a field that is an exact decimal, zero or more."""
        try:
            return exact(self.fields[field])
        except ValueError:
            raise self.error(field, f"a number, {ACCEPTED}") from None

    def usd(self, field: str, decimals: int) -> Fraction:
        """Return an amount in USD with at most so many `decimals` as exact micro-USD."""
        accepted = f"USD, {ACCEPTED}, at most {DECIMALS_IN_WORDS[decimals]} decimals"
        try:
            amount = micro_usd(self.fields[field])
        except ValueError:
            raise self.error(field, accepted) from None
        if (amount * 10 ** (decimals - 6)).denominator != 1:
            raise self.error(field, accepted)
        return amount

    def day_us(self, field: str) -> int | None:
        """Return a date as its first instant in UTC, None where the field is empty."""
        text = self.fields[field]
        if not text:
            return None
        try:
            return day_us(date.fromisoformat(text))
        except ValueError:
            raise self.error(field, "a date like 2026-11-01, or empty") from None


DECIMALS_IN_WORDS = {6: "six", 12: "twelve"}


def parse_rows(text: str, name: str, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of `text`, which has the header `columns`; `name` is the file's name."""
    numbered = [
        (number, line)
        for number, line in enumerate(text.removeprefix(BYTE_ORDER_MARK).split("\n"), 1)
        if line.strip() and not line.startswith("#")
    ]
    rows = csv.reader((line for _, line in numbered), strict=True)
    header: list[str] | None = None
    while (begun := rows.line_num) < len(numbered):
        where = f"{name} line {numbered[begun][0]}"
        try:
            # Spaces around a field are for people: "aws" and "aws " are one cloud.
            row = [field.strip() for field in next(rows)]
        except csv.Error as error:
            raise PriceFileError(f"{where}: {error}; accepted: CSV") from None
        if header is None:
            header = row
            if tuple(header) != tuple(columns):
                break
            continue
        if len(row) != len(columns):
            raise PriceFileError(f"{where}: {len(columns)} fields expected, found {len(row)}")
        yield Row(dict(zip(columns, row, strict=True)), where)
    if header is None or tuple(header) != tuple(columns):
        raise PriceFileError(f"{name}: header must be {','.join(columns)}, found {header}")


def format_rows(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return `rows` under the header `columns` as the text of a price file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(["" if field is None else field for field in row] for row in rows)
    return out.getvalue()


def keep_comments(before: str, after: str) -> str:
    """Return the text `after` with the comments of `before`, the text that it replaces, on top."""
    lines = before.removeprefix(BYTE_ORDER_MARK).split("\n")
    comments = [line for line in lines if line.startswith("#")]
    return "".join(f"{line}\n" for line in comments) + after


def usd_text(amount: Fraction | int) -> str:
    """Return exact micro-USD as USD, as a price file writes it."""
    return decimal_text(Fraction(amount, 1_000_000))


def decimal_text(value: Fraction) -> str:
    """Return `value`, a number of at most twelve decimals, without needless zeros."""
    scaled = value * 10**MOST_DECIMALS
    if scaled.denominator != 1:
        raise ValueError(f"{value} has more than {MOST_DECIMALS} decimals")
    whole, rest = divmod(scaled.numerator, 10**MOST_DECIMALS)
    return f"{whole}.{rest:0{MOST_DECIMALS}}".rstrip("0").rstrip(".")


def day_text(instant_us: int | None) -> str:
    """Return the date that begins at `instant_us` (UTC), nothing for None."""
    if instant_us is None:
        return ""
    return datetime.fromtimestamp(instant_us // SECOND_US, UTC).date().isoformat()


def day_us(day: date) -> int:
    """Return the first instant of `day` in UTC, in microseconds. Raises ValueError before 1970."""
    if day.year < FIRST_YEAR:
        raise ValueError(f"{day} is before {FIRST_YEAR}")
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND_US
