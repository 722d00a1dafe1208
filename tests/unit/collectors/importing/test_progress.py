"""How far an import is, told now and then."""

import io

from collectors.importing.progress import Progress
from collectors.importing.summary import Imported, as_json, in_words


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_where_there_is_no_terminal_a_line_is_written_every_few_seconds() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, clock)
    progress.begin("log.csv", 1_000, 200)
    for offset, rows in ((300, 1_000), (400, 2_000), (600, 4_000)):
        clock.now_s += 2.5
        progress.show(offset, rows, 3)
    assert stream.getvalue() == (
        "log.csv:  40%, 2,000 rows, 400 rows/s, 3 rejected, 0:00:15 left\n"
    )
    progress.clear()
    assert stream.getvalue().count("\n") == 1


def test_on_a_terminal_one_line_changes_and_is_taken_away_at_the_end() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(stream, clock)
    progress.begin("log.csv", 1_000)
    clock.now_s += 1
    progress.show(500, 10)
    assert stream.getvalue() == (
        "\rlog.csv [############............]  50%, 10 rows, 10 rows/s, 0:00:01 left"
    )
    progress.note("waiting")
    assert stream.getvalue().endswith(" \rwaiting\n")


def test_an_empty_file_is_done_at_once() -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, clock)
    progress.begin("log.csv", 0)
    clock.now_s += 10
    progress.show(0)
    assert stream.getvalue() == "log.csv: 100%\n"


def test_the_summary_tells_the_first_rejected_rows_and_how_many_more_there_are() -> None:
    imported = Imported("log.csv", 0, 1_234, 1_227, 7, ["line 3: x", "line 4: y"])
    assert in_words(imported, dry_run=False) == (
        "log.csv: 1,234 rows read, 1,227 stored, 7 rejected\n"
        "  line 3: x\n  line 4: y\n  and 5 more\n"
    )
    assert "would be stored" in in_words(imported, dry_run=True)
    assert in_words(Imported("log.csv", 10), dry_run=False) == (
        "log.csv: all of its 10 rows were imported before\n"
    )
    assert as_json([imported], None).count("\n") == 1
