"""The file of actions, both directions: one row for each, beside the database.

Columns: id, title, owner, due, saving_usd_per_month, status, created, changed. It is a CSV file in
UTF-8 that people may edit by hand. A file with a row that cannot be read is never written to.
"""

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import date
from pathlib import Path
from typing import Any

from reports.file_change import changing, replace_content
from reports.typed_in import ACTIONS
from reports.weekly.action import (
    Action,
    ActionDraft,
    ActionError,
    parse_date,
    parse_number,
    parse_status,
    parse_usd,
)

COLUMNS = (
    "id",
    "title",
    "owner",
    "due",
    "saving_usd_per_month",
    "status",
    "created",
    "changed",
)


def actions_beside(database: Path) -> Path:
    """Return where the actions are kept that go with `database`."""
    return database.with_name(ACTIONS)


def read_actions(path: Path) -> list[Action]:
    """Return the actions in `path` in the order of their rows; none where there is no file.

    Raises ActionError, which names the line and what is wrong with it.
    """
    try:
        return parse_actions(path.read_bytes(), str(path))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ActionError(f"{path}: {error.strerror}") from error


def add_action(path: Path, draft: ActionDraft, today: date) -> Action:
    """Write `draft` as a new action, and return it with its number.

    Raises ActionError; the file is then as it was.
    """
    with changing(path, ActionError) as file:
        actions = read_actions(file)
        number = parse_number(str(1 + max((action.id for action in actions), default=0)))
        added = Action(**_said(draft), id=number, created=today, changed=today)
        _write(file, [*actions, added])
    return added


def change_action(path: Path, seen: Action, draft: ActionDraft, today: date) -> Action:
    """Write `draft` in place of `seen`, and return the action as it is now.

    Raises ActionError, also where the action is not as `seen` any more; the file is then as it was.
    """
    changed = Action(**_said(draft), id=seen.id, created=seen.created, changed=today)
    with changing(path, ActionError) as file:
        actions = read_actions(file)
        if seen not in actions:
            raise ActionError(
                f"action {seen.id} was changed or removed by somebody else meanwhile; "
                "look at it again, then change it"
            )
        if _said(draft) == _said(seen):
            return seen
        actions[actions.index(seen)] = changed
        _write(file, actions)
    return changed


def parse_actions(content: bytes, name: str) -> list[Action]:
    """Return the actions in `content`; `name` is that of the file. Raises ActionError."""
    try:
        # A spreadsheet puts a byte order mark before the first column.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ActionError(f"{name} line {line}: not UTF-8") from error
    if not text.strip():
        return []
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows)
        if tuple(header) != COLUMNS:
            found = ",".join(header)[:120]
            raise ActionError(f"{name} line 1 must be {','.join(COLUMNS)}; found: {found}")
        actions: dict[int, Action] = {}
        for row in rows:
            if not any(row):
                continue
            where = f"{name} line {rows.line_num}"
            action = _action(row, where)
            if action.id in actions:
                raise ActionError(f"{where}: id {action.id} is that of another line, too")
            actions[action.id] = action
    except csv.Error as error:
        raise ActionError(f"{name} line {rows.line_num}: {error}") from error
    return list(actions.values())


def format_actions(actions: Iterable[Action]) -> str:
    """Return `actions` as the text of a file."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for action in actions:
        fields = asdict(action) | {"saving_usd_per_month": f"{action.saving_usd_per_month:f}"}
        writer.writerow([fields[column] for column in COLUMNS])
    return out.getvalue()


def _write(file: Path, actions: Iterable[Action]) -> None:
    """Replace the content; a byte order mark stays, without which Excel misreads what is no ASCII.

    Only who is alone with the file may.
    """
    marked = file.exists() and file.read_bytes().startswith(BOM_UTF8)
    content = format_actions(actions).encode()
    replace_content(file, BOM_UTF8 + content if marked else content)


def _said(draft: ActionDraft) -> dict[str, Any]:
    """Return what a person says of an action, by field."""
    return {field.name: getattr(draft, field.name) for field in fields(ActionDraft)}


def _action(row: list[str], where: str) -> Action:
    if len(row) != len(COLUMNS):
        raise ActionError(f"{where}: {len(COLUMNS)} fields expected, found {len(row)}")
    value = {column: text.strip() for column, text in zip(COLUMNS, row, strict=True)}
    try:
        return Action(
            title=value["title"],
            owner=value["owner"],
            due=parse_date("due", value["due"]),
            saving_usd_per_month=parse_usd("saving_usd_per_month", value["saving_usd_per_month"]),
            status=parse_status(value["status"]),
            id=parse_number(value["id"]),
            created=parse_date("created", value["created"]),
            changed=parse_date("changed", value["changed"]),
        )
    except ActionError as error:
        raise ActionError(f"{where}: {error}") from error
