"""An import goes on wherever it was stopped, and in the end every row is there once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.importing import file_import
from collectors.importing.block import TEXT_BYTES
from collectors.importing.claim import unclaimed
from collectors.importing.content import Content
from collectors.importing.errors import MisfitError
from collectors.importing.file_import import FileImport
from collectors.importing.import_map import read_map
from collectors.importing.input_file import InputFile, format_of
from collectors.importing.source import BEGINNING, Position, Source
from collectors.importing.summary import Imported
from store import Batch
from tests.unit.collectors.importing.files import content_of, small_pieces

MAP = {"time": {"column": "t", "format": "unix_s"}, "columns": {"input_tokens": "i"}}
START_S = 1_700_000_000


class KilledError(Exception):
    """Raised in place of a kill."""


class Memory:
    """Keeps batches as a database does, and is killed after some of them."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.reached = BEGINNING
        self.left = -1

    def store(self, source: Source, batch: Batch, start: Position, end: Position) -> None:
        assert source.size
        assert start == self.reached
        if self.left == 0:
            raise KilledError
        self.left -= 1
        self.batches.append(batch)
        self.reached = end


def import_of(
    content: Content, sink: Memory, *, start: Position | None = None, rows: int = 50_000
) -> Imported:
    file = InputFile(content, format_of(content.path), read_map(None, MAP))
    claim = replace(unclaimed(content, lambda _: None), start=start or BEGINNING)
    file_import = FileImport(file, claim, sink.store, batch_rows=rows)
    for _ in file_import.blocks():
        pass
    return file_import.imported


GOOD = st.integers(0, 10**6).map(lambda n: f"{START_S + n}.5,{n}")
LINE = st.one_of(
    GOOD, GOOD, GOOD, st.sampled_from(["x,1", f"{START_S},x", "1", "", f'{START_S},"7', '","'])
)


@settings(deadline=None)
@given(st.lists(LINE, max_size=40), st.integers(1, 5), st.integers(4, 64), st.data())
def test_stopped_anywhere_and_run_again_stores_what_one_run_stores(
    lines: Sequence[str], rows: int, piece_bytes: int, data: st.DataObject
) -> None:
    text = "t,i\n" + "\n".join(lines)
    with content_of(text.encode()) as content, small_pieces(piece_bytes, 128):
        at_once = Memory()
        all_of_it = import_of(content, at_once)
        parts, first = Memory(), True
        while first or parts.left == 0:
            first = False
            parts.left = data.draw(st.integers(0, 3)) if parts.left != 0 else 4
            try:
                import_of(content, parts, start=parts.reached, rows=rows)
            except KilledError:
                continue
            parts.left = -1
    whole = [record for batch in at_once.batches for record in batch.records]
    again = [record for batch in parts.batches for record in batch.records]
    assert again == whole
    rejected = [line for batch in at_once.batches for line in batch.rejected]
    assert [line for batch in parts.batches for line in batch.rejected] == rejected
    assert len(whole) + len(rejected) == all_of_it.rows
    assert (all_of_it.stored, all_of_it.rejected) == (len(whole), len(rejected))
    assert [record.seq for record in whole] == list(range(1, len(whole) + 1))
    assert len({record.record_id for record in whole}) == len(whole)
    for line in rejected:
        number = int(line.reason.removeprefix("line ").split(":")[0])
        offset = sum(len(one) + 1 for one in text.split("\n")[: number - 1])
        assert line.byte_offset == offset


def test_a_rejected_row_is_kept_with_its_place_and_as_much_of_its_text_as_is_reasonable() -> None:
    row = b"x,\xff\0" + b"y" * 70_000
    sink = Memory()
    with content_of(b"t,i\n1700000000,1\n" + row + b"\n") as content:
        assert import_of(content, sink).rejected == 1
    [batch] = sink.batches
    [line] = batch.rejected
    assert (line.segment, line.byte_offset) == (0, 17)
    assert line.reason.startswith("line 3: input_tokens is '\\udcff")
    assert line.line.startswith("x,\\xff\\x00yyy")
    assert len(line.line) <= TEXT_BYTES + 10
    assert (line.node_id, line.boot_id) == (
        batch.records[0].node_id,
        batch.records[0].boot_id,
    )


def test_a_map_by_which_no_row_is_a_request_is_refused_before_anything_is_stored() -> None:
    sink = Memory()
    with content_of(b"t,i\n" + b"x,1\n" * 1_000) as content:
        with pytest.raises(MisfitError, match=r"none of the first 1,000 rows .*; line 2: arrived_"):
            import_of(content, sink)
        assert sink.batches == []


def test_a_short_file_of_rejected_rows_is_stored_as_such() -> None:
    sink = Memory()
    with content_of(b"t,i\n" + b"x,1\n" * 99) as content:
        imported = import_of(content, sink)
    assert (imported.rows, imported.rejected, len(imported.first_rejects)) == (99, 99, 5)


def test_many_rejected_rows_are_stored_in_commits_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(file_import, "BATCH_REJECTED", 10)
    sink = Memory()
    with content_of(b"t,i\n1700000000,1\n" + b"x,1\n" * 99) as content, small_pieces(20):
        import_of(content, sink)
    assert len(sink.batches) > 5
    assert max(len(batch.rejected) for batch in sink.batches) < 16


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.ndjson", "a.jsonl", "a.parquet"])
def test_the_name_tells_the_format(name: str) -> None:
    assert format_of(Path(name)) in ("csv", "ndjson", "parquet")
