"""The spool keeps every whole line, once and in order, whatever becomes of its writer."""

import errno
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage import Boot, Position, SpoolError, SpoolWriter, Stray, boots
from usage.spool import LONGEST_LINE_BYTES, STRAY_BYTES

BOOT = "0198c0de-0000-7000-8000-000000000001"

# Anything but a newline may stand in a line, other line separators of Unicode and ASCII included.
LINES = st.lists(
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"\r\x0b\xe2\x80\xa8")), max_size=40
)


def writer(spool: Path, segment_bytes: int = 2**20) -> SpoolWriter:
    return SpoolWriter(spool, "node-1", BOOT, segment_bytes=segment_bytes)


def read_all(boot: Boot, limit_bytes: int, position: Position) -> tuple[list[bytes], Position]:
    lines: list[bytes] = []
    while (chunk := boot.read(position, limit_bytes)) is not None:
        assert chunk.start >= position
        assert chunk.end > chunk.start
        lines += [line for _, line in chunk.lines()]
        position = chunk.end
    return lines, position


@settings(deadline=None)
@given(
    lines=LINES,
    segment_bytes=st.integers(1, 200),
    limit_bytes=st.integers(1, 200),
    delete=st.booleans(),
)
def test_every_line_is_read_once_and_in_order_however_it_is_cut(
    lines: list[bytes], segment_bytes: int, limit_bytes: int, delete: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder)
        out = writer(spool, segment_bytes)
        seen: list[bytes] = []
        position = Position()
        for line in lines:
            out.append(line + b"\n")
            [boot] = boots(spool)
            fresh, position = read_all(boot, limit_bytes, position)
            seen += fresh
            if delete:
                boot.delete_consumed(position)
        out.close()
        assert seen == lines
        for boot in boots(spool):
            assert read_all(boot, limit_bytes, position) == ([], position)
            boot.delete_consumed(position)
        assert boots(spool) == []


def test_the_position_of_a_line_is_where_it_begins_in_its_segment(tmp_path: Path) -> None:
    out = writer(tmp_path)
    out.append(b"first\nsecond\n")
    chunk = boots(tmp_path)[0].read(Position(), 100)
    assert chunk is not None
    assert list(chunk.lines()) == [(0, b"first"), (6, b"second")]
    assert chunk.end == Position(1, 13)
    out.close()


def test_a_torn_last_line_waits_while_its_writer_lives_and_is_told_when_it_died(
    tmp_path: Path,
) -> None:
    out = writer(tmp_path)
    out.append(b"whole\n")
    [boot] = boots(tmp_path)
    segment = boot.folder / "00000001.ndjson"
    with segment.open("ab") as torn:
        torn.write(b'{"half')
    alive = boot.read(Position(), 100)
    assert alive is not None
    assert (list(alive.lines()), alive.stray) == ([(0, b"whole")], None)
    assert boot.read(alive.end, 100) is None
    out.close()  # as the kernel does when the writer is killed
    dead = boot.read(alive.end, 100)
    assert dead is not None
    assert (dead.data, dead.stray) == (
        b"",
        Stray(6, b'{"half', "torn after 6 bytes: its writer was killed"),
    )
    boot.delete_consumed(dead.end)
    assert not segment.exists()


def test_a_segment_that_is_still_written_is_never_deleted(tmp_path: Path) -> None:
    out = writer(tmp_path)
    out.append(b"one\n")
    [boot] = boots(tmp_path)
    boot.delete_consumed(Position(1, 4))
    out.append(b"two\n")
    assert read_all(boot, 100, Position(1, 4)) == ([b"two"], Position(1, 8))
    out.close()


def test_a_closed_segment_stays_until_all_of_it_is_stored(tmp_path: Path) -> None:
    out = writer(tmp_path)
    out.append(b"one\ntwo\n")
    out.close()
    [boot] = boots(tmp_path)
    boot.delete_consumed(Position(1, 4))
    assert boot.segments() == [1]
    boot.delete_consumed(Position(1, 8))
    assert boots(tmp_path) == []


@pytest.mark.parametrize("fault", ["write", "write and truncate"])
def test_what_a_full_disk_cut_short_is_taken_back_and_can_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    out = writer(tmp_path)
    out.append(b"before\n")
    real_write, real_truncate = os.write, os.ftruncate
    room = [9]

    def short_write(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real_write(descriptor, data[: room[0]])
        room[0] -= written
        return written

    def refuse(descriptor: int, length: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", short_write)
    if fault == "write and truncate":
        monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(SpoolError, match="No space left"):
        out.append(b"during the fault\n")
    monkeypatch.setattr(os, "write", real_write)
    monkeypatch.setattr(os, "ftruncate", real_truncate)
    out.append(b"during the fault\n")
    out.close()
    [boot] = boots(tmp_path)
    lines, _ = read_all(boot, 100, Position())
    assert lines == [b"before", b"during the fault"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "node-1").write_text("in the way")
    with pytest.raises(SpoolError, match="node-1"):
        writer(tmp_path).append(b"line\n")


def test_other_files_in_the_spool_are_left_alone(tmp_path: Path) -> None:
    out = writer(tmp_path)
    out.append(b"line\n")
    out.close()
    [boot] = boots(tmp_path)
    stray = [tmp_path / "README", boot.folder / "notes.txt", boot.folder / "x.ndjson"]
    for path in stray:
        path.write_text("mine")
    lines, position = read_all(boot, 100, Position())
    boot.delete_consumed(position)
    assert lines == [b"line"]
    assert all(path.exists() for path in stray)


def test_a_segment_whose_writer_died_before_it_had_a_name_is_tidied_away(tmp_path: Path) -> None:
    out = writer(tmp_path)
    out.append(b"line\n")
    out.close()
    [boot] = boots(tmp_path)
    (boot.folder / ".00000002.ndjson.new").touch()
    lines, position = read_all(boot, 100, Position())
    assert lines == [b"line"]
    boot.delete_consumed(position)
    assert boots(tmp_path) == []


def test_a_writer_whose_folder_is_tidied_away_while_it_begins_a_segment_writes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = writer(tmp_path)
    out.append(b"one\n")
    [boot] = boots(tmp_path)
    real_flock = fcntl.flock
    tidied: list[bool] = []

    def flock_late(file: int, operation: int) -> None:
        if not tidied and operation & fcntl.LOCK_EX:
            tidied.append(True)
            boot.delete_consumed(Position(1, 4))
        real_flock(file, operation)

    out.close()
    monkeypatch.setattr(fcntl, "flock", flock_late)
    out.append(b"two\n")
    out.close()
    assert tidied
    [boot] = boots(tmp_path)
    assert read_all(boot, 100, Position(1, 4)) == ([b"two"], Position(2, 4))


def begun_and_left(spool: Path) -> Boot:
    """Return a boot whose writer was killed between beginning segment 2 and its first line."""
    out = writer(spool, segment_bytes=1)
    out.append(b"one\n")
    out.close()
    [boot] = boots(spool)
    (boot.folder / "00000002.ndjson").touch()
    return boot


def test_a_segment_whose_writer_died_before_its_first_line_is_consumed_as_it_is(
    tmp_path: Path,
) -> None:
    boot = begun_and_left(tmp_path)
    lines, position = read_all(boot, 100, Position())
    assert (lines, position) == ([b"one"], Position(1, 4))
    boot.delete_consumed(position)
    assert boots(tmp_path) == []


def test_an_empty_segment_goes_and_what_is_not_stored_yet_stays(tmp_path: Path) -> None:
    boot = begun_and_left(tmp_path)
    (boot.folder / "00000003.ndjson").write_bytes(b"three\n")
    boot.delete_consumed(Position(1, 0))
    assert boot.segments() == [1, 3]
    assert read_all(boot, 100, Position()) == ([b"one", b"three"], Position(3, 6))


def test_an_empty_segment_that_its_writer_has_just_begun_is_never_deleted(tmp_path: Path) -> None:
    out = writer(tmp_path, segment_bytes=1)
    out.append(b"one\n")
    [boot] = boots(tmp_path)
    out._open_segment()  # as `append` does before it writes
    assert boot.segments() == [1, 2]
    boot.delete_consumed(Position(1, 4))
    assert boot.segments() == [2]
    out.close()
    boot.delete_consumed(Position(1, 4))
    assert boots(tmp_path) == []


@pytest.mark.parametrize("loss", ["folder deleted", "folder moved", "a file in its place"])
def test_lines_do_not_go_into_a_segment_that_nobody_can_see_any_more(
    tmp_path: Path, loss: str
) -> None:
    spool = tmp_path / "spool"
    out = writer(spool)
    out.append(b"one\n")
    if loss == "folder moved":
        (spool / "node-1").rename(tmp_path / "aside")
    else:
        shutil.rmtree(spool)
    moved = tmp_path / "aside" / BOOT / "00000001.ndjson"
    if loss == "a file in its place":
        spool.write_text("in the way")
        with pytest.raises(SpoolError, match="Not a directory"):
            out.append(b"two\n")
        spool.unlink()
    out.append(b"two\n")
    out.close()
    if loss == "folder moved":
        assert moved.read_bytes() == b"one\n"
    [boot] = boots(spool)
    assert read_all(boot, 100, Position(1, 4)) == ([b"two"], Position(2, 4))


@pytest.mark.parametrize("limit_bytes", [64, 2**20, 2**22])
def test_a_line_that_no_record_can_be_is_told_by_its_head_and_passed_over(
    tmp_path: Path, limit_bytes: int
) -> None:
    length = LONGEST_LINE_BYTES + 5
    out = SpoolWriter(tmp_path, "node", "boot")
    out.append(b"before\n" + b"x" * (length - 1) + b"\nafter\n" + b"y" * (2 * length))
    [boot] = boots(tmp_path)
    found, position = [], Position()
    while (chunk := boot.read(position, limit_bytes)) is not None:
        found += [line for _, line in chunk.lines() if len(line) < 10]
        if chunk.stray is not None:
            assert len(chunk.stray.head) == STRAY_BYTES
            found.append(chunk.stray.reason.encode())
        position = chunk.end
    told = f"a line of {length} bytes; accepted: at most {LONGEST_LINE_BYTES}".encode()
    # A limit above its length lets it through as a line, which is then rejected as no record.
    assert found == ([b"before", told, b"after"] if limit_bytes < length else [b"before", b"after"])
    out.close()
    chunk = boot.read(position, limit_bytes)
    assert chunk is not None
    assert chunk.stray is not None
    assert chunk.stray.reason == f"torn after {2 * length} bytes: its writer was killed"
    assert boot.read(chunk.end, limit_bytes) is None
