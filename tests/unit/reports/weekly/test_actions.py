"""Actions in their file: nothing is lost, whoever writes, whatever is killed, whatever is wrong."""

import contextlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reports.weekly.action import Action, ActionDraft, ActionError, Status, parse_usd
from reports.weekly.actions import (
    COLUMNS,
    actions_beside,
    add_action,
    change_action,
    format_actions,
    parse_actions,
    read_actions,
)

DAY = date(2026, 11, 23)
DRAFT = ActionDraft("Turn the cache on", "Ada", date(2026, 11, 30), Decimal("1200.50"))
HEADER = ",".join(COLUMNS)
ROW = "1,Turn the cache on,Ada,2026-11-30,1200.50,open,2026-11-23,2026-11-23"

ADD_FOREVER = """
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from reports.weekly.action import ActionDraft
from reports.weekly.actions import add_action
while True:
    draft = ActionDraft("x" * 200, "Ada", date(2026, 11, 30), Decimal(1))
    print(add_action(Path(sys.argv[1]), draft, date(2026, 11, 23)).id, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return actions_beside(tmp_path / "usage.duckdb")


def test_the_file_stands_beside_the_database(tmp_path: Path) -> None:
    assert actions_beside(tmp_path / "usage.duckdb") == tmp_path / "actions.csv"


def test_without_a_file_there_are_no_actions(path: Path) -> None:
    assert read_actions(path) == []
    path.write_text("")
    assert read_actions(path) == []


def test_an_action_is_added_changed_and_closed(path: Path) -> None:
    first = add_action(path, DRAFT, DAY)
    second = add_action(path, ActionDraft("Retire digits@1", "Bo", DAY, Decimal(0)), DAY)
    assert (first.id, second.id) == (1, 2)
    assert path.read_text() == (
        f"{HEADER}\n{ROW}\n2,Retire digits@1,Bo,2026-11-23,0,open,2026-11-23,2026-11-23\n"
    )
    later = date(2026, 11, 25)
    done = ActionDraft("Turn the cache on", "Ada", DAY, Decimal("1200.50"), Status.DONE)
    changed = change_action(path, first, done, later)
    assert (changed.status, changed.created, changed.changed) == (Status.DONE, DAY, later)
    assert read_actions(path) == [changed, second]


def test_a_change_that_changes_nothing_writes_nothing(path: Path) -> None:
    action = add_action(path, DRAFT, DAY)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    assert change_action(path, action, DRAFT, date(2026, 12, 1)) == action
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


def test_who_saw_an_older_state_does_not_overwrite_a_newer_one(path: Path) -> None:
    seen = add_action(path, DRAFT, DAY)
    other = ActionDraft("Turn the cache off", "Bo", DAY, Decimal(1))
    change_action(path, seen, other, DAY)
    with pytest.raises(ActionError, match="action 1 was changed or removed by somebody else"):
        change_action(path, seen, DRAFT, DAY)
    assert read_actions(path)[0].title == "Turn the cache off"


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path: Path, path: Path) -> None:
    real = tmp_path / "shared" / "ours.csv"
    real.parent.mkdir()
    real.write_text(f"{HEADER}\n")
    real.chmod(0o640)
    path.symlink_to(real)
    add_action(path, DRAFT, DAY)
    assert path.is_symlink()
    assert len(read_actions(real)) == 1
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (ROW.replace("2026-11-30", "30.11.2026"), "due is '30.11.2026'; accepted: a date like"),
        (ROW.replace("2026-11-30", "2026-11-31"), "due is '2026-11-31'"),
        (ROW.replace("2026-11-30", "20261130"), "due is '20261130'"),
        (ROW.replace("1200.50", "1,200"), "8 fields expected, found 9"),
        (ROW.replace("1200.50", "1e9"), "saving_usd_per_month is '1e9'; accepted: USD like 1200"),
        (ROW.replace("1200.50", "-5"), "saving_usd_per_month is '-5'"),
        (ROW.replace("1200.50", "NaN"), "saving_usd_per_month is 'NaN'"),
        (ROW.replace("1200.50", "0.001"), "saving_usd_per_month is '0.001'"),
        (ROW.replace("1200.50", "9999999999999"), "accepted: 0 to 1,000,000,000,000"),
        (ROW.replace("open", "closed"), "status is 'closed'; accepted: open, doing, done, dropped"),
        (ROW.replace("Ada", ""), "owner is empty; accepted: text of at most 80 characters"),
        (ROW.replace("Turn the cache on", "=HYPERLINK(1)"), "takes for a formula"),
        (ROW.replace("Turn the cache on", "t" * 201), "title has 201 characters"),
        (ROW.replace("Turn the cache on", '"a\nb"'), "text on one line"),
        (ROW.replace("Turn the cache on", '"never closed'), "unexpected end of data"),
        (ROW.replace("1,Turn", "0,Turn"), "id is '0'; accepted: a number from 1 to 999999999"),
        (ROW.replace("1,Turn", "one,Turn"), "id is 'one'"),
        (f"{ROW}\n{ROW}", "line 3: id 1 is that of another line, too"),
        (ROW[:-20], "8 fields expected"),
        ("\ufffd".join(ROW.split(",")), "8 fields expected, found 1"),
    ],
)
def test_a_broken_line_is_told_and_the_file_stays_as_it_is(
    path: Path, line: str, complaint: str
) -> None:
    text = f"{HEADER}\n{line}\n"
    path.write_text(text)
    for attempt in (
        lambda: read_actions(path),
        lambda: add_action(path, DRAFT, DAY),
        lambda: change_action(path, Action(**vars(DRAFT), id=1), DRAFT, DAY),
    ):
        with pytest.raises(ActionError) as told:
            attempt()
        assert complaint in str(told.value)
        assert f"{path} line " in str(told.value)
        assert "\n" not in str(told.value)
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"id;title;owner\n", "line 1 must be id,title,owner,due"),
        (b"\xff\xfe\x00", "line 1: not UTF-8"),
        (f"{HEADER}\n{ROW}\n1\xe9".encode("latin-1"), "line 3: not UTF-8"),
        (b"\x00" * 10, "line 1"),
    ],
)
def test_what_is_no_file_of_actions_is_refused(path: Path, content: bytes, complaint: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ActionError, match=complaint):
        add_action(path, DRAFT, DAY)
    assert path.read_bytes() == content


def test_what_a_spreadsheet_saves_is_read() -> None:
    content = "\ufeff" + f"{HEADER}\r\n{ROW}\r\n,,,,,,,\r\n\r\n".replace("Ada", " Ada ")
    [action] = parse_actions(content.encode(), "f")
    assert (action.owner, action.saving_usd_per_month) == ("Ada", Decimal("1200.50"))


def test_the_mark_of_a_spreadsheet_stays_for_it_to_read_the_file_again(path: Path) -> None:
    row = ROW.replace("Ada", "J\N{LATIN SMALL LETTER U WITH DIAERESIS}rgen")
    path.write_text(f"{HEADER}\r\n{row}\r\n", encoding="utf-8-sig")
    second = add_action(path, DRAFT, DAY)
    change_action(path, second, ActionDraft("Retire it", "Bo", DAY, Decimal(0)), DAY)
    assert path.read_bytes().startswith(b"\xef\xbb\xbfid,")
    first, changed = read_actions(path)
    assert (first.owner[1], changed.title) == (
        "\N{LATIN SMALL LETTER U WITH DIAERESIS}",
        "Retire it",
    )


def test_an_action_beyond_the_last_number_is_refused_and_not_written(path: Path) -> None:
    text = f"{HEADER}\n{ROW.replace('1,', '999999999,', 1)}\n"
    path.write_text(text)
    with pytest.raises(ActionError, match="id is '1000000000'; accepted: a number from 1 to"):
        add_action(path, DRAFT, DAY)
    assert path.read_text() == text


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ActionError, match="nothing was changed"):
        add_action(tmp_path / "file" / "actions.csv", DRAFT, DAY)
    with pytest.raises(ActionError):
        read_actions(tmp_path)
    circle = tmp_path / "circle.csv"
    circle.symlink_to(circle)
    with pytest.raises(ActionError):
        add_action(circle, DRAFT, DAY)


def test_writers_at_the_same_time_lose_nothing(path: Path) -> None:
    def write(number: int) -> int:
        return add_action(path, ActionDraft(f"n{number}", "Ada", DAY, Decimal(1)), DAY).id

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(write, range(40)))
    assert sorted(ids) == list(range(1, 41))
    assert {action.title for action in read_actions(path)} == {f"n{n}" for n in range(40)}


def test_a_writer_killed_at_any_instant_leaves_every_action_it_reported(path: Path) -> None:
    kept = 0
    for rounds in range(4):
        command = [sys.executable, "-c", ADD_FOREVER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            reported = [int(writer.stdout.readline()) for _ in range(3 + 5 * rounds)]
            writer.kill()
            reported += [int(line) for line in writer.stdout if line.endswith("\n")]
        actions = read_actions(path)
        assert [action.id for action in actions] == list(range(1, len(actions) + 1))
        # One more may have been written than could be reported.
        assert reported[-1] <= len(actions) <= reported[-1] + 1
        assert len(actions) > kept
        kept = len(actions)
    assert add_action(path, DRAFT, DAY).id == kept + 1


def test_an_action_is_overdue_once_its_day_is_over_and_it_is_not_closed() -> None:
    action = Action(**vars(DRAFT), id=1)
    assert not action.overdue(date(2026, 11, 30))
    assert action.overdue(date(2026, 12, 1))
    done = ActionDraft(DRAFT.title, DRAFT.owner, DRAFT.due, Decimal(1), Status.DONE)
    assert not Action(**vars(done), id=1).overdue(date(2027, 1, 1))


words = st.text(min_size=1, max_size=80)
drafts = st.builds(
    lambda *said: said,
    words,
    words,
    st.dates(),
    st.decimals(0, 10**12, places=2),
    st.sampled_from(Status),
)


@given(st.lists(drafts, max_size=5), st.dates())
def test_whatever_is_accepted_is_read_back_as_it_was(
    said: list[tuple[str, str, date, Decimal, Status]], day: date
) -> None:
    actions: list[Action] = []
    for fields in said:
        try:
            draft = ActionDraft(*fields)
        except ActionError:
            continue
        actions.append(Action(**vars(draft), id=len(actions) + 1, created=day, changed=day))
    assert parse_actions(format_actions(actions).encode(), "f") == actions


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: f"{HEADER}\n{t}".encode()))
def test_no_content_is_more_than_an_error(content: bytes) -> None:
    try:
        parse_actions(content, "f")
    except ActionError as told:
        assert str(told).startswith("f line ")


@example("007")
@given(st.text(max_size=20))
def test_no_text_is_an_amount_by_accident(text: str) -> None:
    with contextlib.suppress(ActionError):
        assert str(parse_usd("x", text)) == text
