"""The file of budgets, both directions: one row each, in UTF-8, for people and for the page.

Columns: scope, label, value, usd_per_month, from, to, thresholds_percent, idle. `scope` is
everything, tenant, model or label; `from` and `to` are months like 2026-11, both included, empty
for no such end; `thresholds_percent` are separated by spaces. A name that a spreadsheet would take
for a formula has a ' before it. Lines that begin with `#` are comments.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from costs.budget import IDLE_RULES, Budget, BudgetError, Scope, Taken
from costs.focus.text import FORMULA_BEGINS
from costs.month import Month, MonthError

Named = TypeVar("Named", bound=StrEnum)

COLUMNS = (
    "scope",
    "label",
    "value",
    "usd_per_month",
    "from",
    "to",
    "thresholds_percent",
    "idle",
)
_USD = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


def parse_budgets(content: bytes, name: str) -> list[Budget]:
    """Return the budgets in `content`; `name` is that of the file.

    Raises BudgetError, which names file, line, field, value and what is accepted.
    """
    try:
        # A spreadsheet puts a byte order mark before the first column.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BudgetError(f"{name} line {line}: not UTF-8") from error
    budgets: list[Budget] = []
    taken = Taken()
    header: list[str] | None = None
    for number, row_text in enumerate(text.splitlines(), 1):
        where = f"{name} line {number}"
        if not row_text.strip(', "\t') or row_text.startswith(("#", '"#')):
            continue
        row = _fields(row_text, where)
        if header is None:
            header = row
            if tuple(header) != COLUMNS:
                found = ",".join(header)[:120]
                raise BudgetError(f"{where} must be {','.join(COLUMNS)}; found: {found}")
            continue
        if len(row) != len(COLUMNS):
            raise BudgetError(f"{where}: {len(COLUMNS)} fields expected, found {len(row)}")
        try:
            budget = _budget(dict(zip(COLUMNS, row, strict=True)))
            taken.add(budget)
        except BudgetError as error:
            raise BudgetError(f"{where}: {error}") from error
        budgets.append(budget)
    return budgets


def format_budgets(budgets: Iterable[Budget], comments: Sequence[str] = ()) -> str:
    """Return `budgets` as the text of a file, below `comments`, lines that begin with `#`."""
    out = io.StringIO(newline="")
    out.writelines(f"{comment}\n" for comment in comments)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for budget in budgets:
        writer.writerow(
            (
                budget.scope.value,
                _quoted(budget.label),
                _quoted(budget.value),
                format(budget.usd_per_month, "f"),
                "" if budget.first is None else budget.first,
                "" if budget.last is None else budget.last,
                " ".join(map(str, budget.thresholds)),
                budget.idle.value,
            )
        )
    return out.getvalue()


def comments_of(content: bytes) -> list[str]:
    """Return the comments in `content`, for `format_budgets` to keep."""
    text = content.decode("utf-8-sig", errors="replace")
    return [line for line in text.splitlines() if line.startswith(("#", '"#'))]


def parse_usd(text: str) -> Decimal:
    """Return an amount of USD; thousands may not be separated. Raises BudgetError."""
    if not _USD.fullmatch(text):
        raise BudgetError(f"usd_per_month is {text!r}; accepted: USD, as in 1200 or 1200.50")
    return Decimal(text)


def parse_month(field: str, text: str) -> Month | None:
    """Return the month that `text` names, None where it is empty. Raises BudgetError."""
    try:
        return Month.parse(text) if text else None
    except MonthError as error:
        raise BudgetError(f"{field}: {error}, or empty") from error


def parse_thresholds(text: str) -> tuple[int, ...]:
    """Return the whole percents in `text`, separated by spaces or commas. Raises BudgetError."""
    words = text.replace(",", " ").replace("%", " ").split()
    if not all(word.isascii() and word.isdigit() and len(word) <= 4 for word in words):
        raise BudgetError(
            f"thresholds_percent is {text!r}; accepted: whole percent, as in 50 80 100"
        )
    return tuple(int(word) for word in words)


def _budget(row: dict[str, str]) -> Budget:
    value = {column: text.strip() for column, text in row.items()}
    return Budget(
        scope=_one_of(tuple(Scope), "scope", value["scope"]),
        label=_unquoted(value["label"]),
        value=_unquoted(value["value"]),
        usd_per_month=parse_usd(value["usd_per_month"]),
        first=parse_month("from", value["from"]),
        last=parse_month("to", value["to"]),
        thresholds=parse_thresholds(value["thresholds_percent"]),
        idle=_one_of(IDLE_RULES, "idle", value["idle"]),
    )


def _quoted(name: str) -> str:
    return f"'{name}" if _is_formula(name) else name


def _unquoted(text: str) -> str:
    return text[1:] if text.startswith("'") and _is_formula(text) else text


def _is_formula(text: str) -> bool:
    # Quotes of its own are no sign that it was made safe: each comes back as it was.
    return text.lstrip("'").startswith(FORMULA_BEGINS)


def _fields(line: str, where: str) -> list[str]:
    try:
        [row] = csv.reader([line], strict=True)
    except csv.Error as error:
        raise BudgetError(f"{where}: {error}") from error
    return row


def _one_of(accepted: Sequence[Named], field: str, text: str) -> Named:
    for member in accepted:
        if member == text:
            return member
    raise BudgetError(f"{field} is {text!r}; accepted: {', '.join(accepted)}")
