"""`weekly`: the review of a week as a file to mail or to keep; prints where it is."""

import argparse
import time
from pathlib import Path

from costs.budget import BudgetError
from reports.budgets.book import budgets_beside, read_budgets
from reports.commands.options import add_database, add_prices, add_simulated, chosen
from reports.errors import ReportError
from reports.file_change import replace_content
from reports.price_book import load_price_book
from reports.targets import load_targets
from reports.weekly import (
    Paper,
    Week,
    WeeklyReview,
    actions_beside,
    last_complete,
    load_weekly,
    read_actions,
    to_html,
    to_json,
    to_pdf,
)
from store import DatabaseMissingError

HTML, PDF, JSON = ".html", ".pdf", ".json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_database(parser)
    add_prices(parser)
    parser.add_argument("--targets", type=Path, default=Path("data/targets.toml"))
    parser.add_argument(
        "--actions", type=Path, help="file of actions, default: actions.csv beside the database"
    )
    parser.add_argument(
        "--budgets", type=Path, help="file of budgets, default: budgets.csv beside the database"
    )
    parser.add_argument("--week", help="like 2026-W47, default: the last complete week")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="ends in .html, .pdf or .json"
    )
    parser.add_argument("--paper", choices=[paper.value for paper in Paper], default=Paper.A4.value)
    add_simulated(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the review and print its path; return the exit code.

    Raises ReportErrors and StoreErrors; a file of an earlier run is then as it was.
    """
    out: Path = arguments.out
    if out.suffix not in (HTML, PDF, JSON):
        raise ReportError(f"out is {out}; accepted: a name that ends in {HTML}, {PDF} or {JSON}")
    now_us = time.time_ns() // 1000
    week = last_complete(now_us) if arguments.week is None else Week.parse(arguments.week)
    running = Week.of(now_us)
    if week > running:
        raise ReportError(
            f"week is {week}, which begins on {week.monday}; accepted: weeks up to {running}"
        )
    review = _load(arguments, week, now_us)
    try:
        replace_content(out, _content(review, out.suffix, Paper(arguments.paper)))
    except OSError as error:
        raise ReportError(f"{out}: {error.strerror}") from error
    print(out)
    return 0


def _load(arguments: argparse.Namespace, week: Week, now_us: int) -> WeeklyReview:
    database: Path = arguments.database
    try:
        review = load_weekly(
            database,
            load_price_book(arguments.prices),
            load_targets(arguments.targets),
            week,
            now_us,
            read_actions(_there(arguments.actions) or actions_beside(database)),
            read_budgets(_there(arguments.budgets) or budgets_beside(database)),
            chosen(arguments),
        )
    except BudgetError as error:
        raise ReportError(str(error)) from error
    except DatabaseMissingError as error:
        raise ReportError(f"{error}; start a collector first") from error
    if review is None:
        raise ReportError(f"{database}: holds no fact yet; there is nothing to review")
    return review


def _there(path: Path | None) -> Path | None:
    """Return `path`; raises ReportError where it was asked for and is not there."""
    if path is not None and not path.exists():
        raise ReportError(f"{path}: No such file or directory")
    return path


def _content(review: WeeklyReview, suffix: str, paper: Paper) -> bytes:
    if suffix == PDF:
        return to_pdf(review, paper)
    return to_html(review).encode() if suffix == HTML else to_json(review)
