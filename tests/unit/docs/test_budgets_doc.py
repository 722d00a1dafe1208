"""docs/budgets.md says what the program does."""

import re
from decimal import Decimal
from pathlib import Path

from costs import Sharing
from costs.anomaly import LEAST_REQUESTS
from costs.backtest import LEAST_DAYS
from costs.budget import Budget, Scope
from costs.budget_file import COLUMNS, format_budgets, parse_budgets
from costs.deviation import DAYS_TO_SETTLE, LEAST_CHANGE, LEAST_SCORE
from costs.deviation import LEAST_DAYS as LEAST_DAYS_TO_JUDGE
from costs.month import Month
from costs.weekly_level import FACTORS_KEPT, LEVEL_DAYS

TEXT = (Path(__file__).parents[3] / "docs/budgets.md").read_text(encoding="utf-8")


def test_the_example_is_a_file_of_budgets_and_is_written_as_it_stands() -> None:
    [example] = re.findall(r"```csv\n(.*?)```", TEXT, re.DOTALL)
    budgets = parse_budgets(example.encode(), "example")
    assert format_budgets(budgets) == example
    assert budgets[0] == Budget(
        Scope.EVERYTHING, Decimal(4000), first=Month(2026, 11), last=Month(2027, 10)
    )
    assert [budget.name for budget in budgets[1:]] == [
        "tenant shop",
        "model digits",
        "label team checkout",
    ]
    assert budgets[2].idle is Sharing.SEPARATE


def test_every_column_is_described() -> None:
    described = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", TEXT, re.MULTILINE)
    assert [name for cell in described for name in re.findall(r"`(\w+)`", cell)] == list(COLUMNS)


def test_its_figures_are_those_of_the_program() -> None:
    assert (LEAST_DAYS, LEAST_DAYS_TO_JUDGE, LEVEL_DAYS, FACTORS_KEPT) == (28, 28, 14, 8)
    assert (LEAST_SCORE, LEAST_CHANGE, LEAST_REQUESTS, DAYS_TO_SETTLE) == (4, 0.15, 100, 3)
    for words in (
        "28 whole days",
        "first 28 days",
        "last fourteen days",
        "median of its last eight",
        "four robust standard deviations off and at least 15 %",
        "100 or more of them",
        "after three days it is the usual",
        "from its third day on",
    ):
        assert words in " ".join(TEXT.split()), words
