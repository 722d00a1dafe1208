"""What a receiver keeps in the spool is neither a node nor a segment to those who read it."""

from pathlib import Path

from usage import Boot, Position, SpoolWriter, boots
from usage.spool import HELD, segment_name

BOOT = "0198c0de-0000-7000-8000-000000000001"


def held(boot: Boot, number: int) -> Path:
    path = boot.folder / f".{segment_name(number)}{HELD}"
    path.write_bytes(b"held\n")
    return path


def test_hidden_folders_are_no_nodes_and_no_boots(tmp_path: Path) -> None:
    for name in ("node-1/boot", ".receiver/node-1", "node-1/.hidden"):
        (tmp_path / name).mkdir(parents=True)
    assert [(boot.node_id, boot.boot_id) for boot in boots(tmp_path)] == [("node-1", "boot")]


def test_a_held_segment_is_not_read_and_neither_it_nor_its_folder_is_deleted(
    tmp_path: Path,
) -> None:
    out = SpoolWriter(tmp_path, "node-1", BOOT)
    out.append(b"one\n")
    out.close()
    [boot] = boots(tmp_path)
    path = held(boot, 2)
    chunk = boot.read(Position(), 100)
    assert chunk is not None
    assert boot.read(chunk.end, 100) is None
    boot.delete_consumed(chunk.end)
    assert (boot.segments(), boot.held(), path.read_bytes()) == ([], [2], b"held\n")


def test_held_segments_are_told_by_number_and_nothing_else_is(tmp_path: Path) -> None:
    boot = Boot(tmp_path / "node-1" / BOOT)
    assert boot.held() == []
    boot.folder.mkdir(parents=True)
    for number in (10, 9, 123_456_789):
        held(boot, number)
    for name in (".00000001.ndjson.new", "00000002.ndjson", f".x.ndjson{HELD}", f"notes{HELD}"):
        (boot.folder / name).touch()
    assert boot.held() == [9, 10, 123_456_789]
