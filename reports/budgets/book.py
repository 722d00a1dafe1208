"""The budgets of a database: a file beside it, changed by people and by the page, one at a time."""

from collections.abc import Callable
from pathlib import Path

from costs.budget import Budget, BudgetError, require_one_each
from costs.budget_file import comments_of, format_budgets, parse_budgets
from reports.file_change import changing, replace_text
from reports.typed_in import BUDGETS


class BudgetChangedError(BudgetError):
    """A budget that is not in the file as it was seen: somebody else changed or removed it."""


def budgets_beside(database: Path) -> Path:
    """Return where the budgets are kept that go with `database`."""
    return database.with_name(BUDGETS)


def read_budgets(path: Path) -> list[Budget]:
    """Return the budgets in `path` in the order of their rows; none where there is no file.

    Raises BudgetError, which names the line and what is wrong with it.
    """
    return parse_budgets(_read(path), str(path))


def add_budget(path: Path, budget: Budget) -> None:
    """Write `budget` behind the others. Raises BudgetError; the file is then as it was."""
    _change(path, lambda budgets: [*budgets, budget])


def change_budget(path: Path, seen: Budget, budget: Budget) -> None:
    """Write `budget` in place of `seen`.

    Raises BudgetError, BudgetChangedError where `seen` is not there any more. The file is then as
    it was.
    """
    _change(path, lambda budgets: [budget if b == seen else b for b in _with(budgets, seen)])


def remove_budget(path: Path, seen: Budget) -> None:
    """Take `seen` out. Raises BudgetError as `change_budget` does."""
    _change(path, lambda budgets: [b for b in _with(budgets, seen) if b != seen])


def _change(path: Path, edit: Callable[[list[Budget]], list[Budget]]) -> None:
    with changing(path, BudgetError) as file:
        content = _read(file)
        budgets = edit(parse_budgets(content, str(path)))
        require_one_each(budgets)
        replace_text(file, format_budgets(budgets, comments_of(content)))


def _with(budgets: list[Budget], seen: Budget) -> list[Budget]:
    if seen not in budgets:
        raise BudgetChangedError(
            f"the budget for {seen.name} was changed or removed by somebody else meanwhile; "
            "look at it again, then change it"
        )
    return budgets


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise BudgetError(f"{path}: {error.strerror}") from error
