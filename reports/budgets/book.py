"""The budgets of a database: a file beside it, changed by people and by the page, one at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from costs.budget import Budget, BudgetError, require_one_each
from costs.budget_file import comments_of, format_budgets, parse_budgets
from reports.file_change import alone_with, replace_text

NAME = "budgets.csv"


def budgets_beside(database: Path) -> Path:
    """Return where the budgets are kept that go with `database`."""
    return database.with_name(NAME)


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

    Raises BudgetError, also where `seen` is not there any more; the file is then as it was.
    """
    _change(path, lambda budgets: [budget if b == seen else b for b in _with(budgets, seen)])


def remove_budget(path: Path, seen: Budget) -> None:
    """Take `seen` out. Raises BudgetError as `change_budget` does."""
    _change(path, lambda budgets: [b for b in _with(budgets, seen) if b != seen])


def _change(path: Path, edit: Callable[[list[Budget]], list[Budget]]) -> None:
    with _telling(path), alone_with(path) as file:
        content = _read(file)
        budgets = edit(parse_budgets(content, str(path)))
        require_one_each(budgets)
        replace_text(file, format_budgets(budgets, comments_of(content)))


def _with(budgets: list[Budget], seen: Budget) -> list[Budget]:
    if seen not in budgets:
        raise BudgetError(
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


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    # RuntimeError: links that lead in a circle.
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BudgetError(f"{path}: {reason}; nothing was changed") from error
