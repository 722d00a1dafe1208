"""What a review is made with beside the facts of its week: actions, and a clock that is none."""

import dataclasses
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from reports.weekly import Action, ActionDraft, Status, to_html
from store import DAY_US, HOUR_US
from tests.integration.weekly_review import END_US, START_US, review
from tests.weeks_of_facts import commit_hours


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hours") / "usage.duckdb"
    commit_hours(path, START_US, START_US + 3 * HOUR_US)
    return path


def test_actions_that_are_open_or_were_closed_lately_are_in_the_review(
    database: Path,
) -> None:
    def action(number: int, status: Status, changed: date, due: int) -> Action:
        draft = ActionDraft("t", "o", date(2025, 12, due), Decimal(1), status)
        return Action(**vars(draft), id=number, created=date(2025, 1, 1), changed=changed)

    actions = [
        action(1, Status.DONE, date(2025, 11, 16), 1),
        action(2, Status.DROPPED, date(2025, 11, 17), 1),
        action(3, Status.DOING, date(2025, 1, 1), 9),
        action(4, Status.OPEN, date(2025, 12, 24), 3),
    ]
    found = review(database, actions=actions)
    assert [one.id for one in found.actions] == [4, 3, 2]


def test_the_review_of_the_same_data_is_the_same_bytes_whenever_it_is_made(
    database: Path,
) -> None:
    first, later = (review(database, now_us=now_us) for now_us in (END_US, END_US + 400 * DAY_US))
    assert dataclasses.asdict(first) == dataclasses.asdict(later)
    assert to_html(first) == to_html(later)
