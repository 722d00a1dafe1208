"""A file is its content: packed or not, and told apart by all of it."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.importing.content import Content
from collectors.importing.digests import Digests
from collectors.importing.errors import InputError
from collectors.importing.source import Source, name_of, parse_source


@given(st.lists(st.binary(max_size=20)), st.sets(st.integers(0, 120)))
def test_digests_of_beginnings_are_those_of_files_that_end_there(
    pieces: list[bytes], sizes: set[int]
) -> None:
    whole = b"".join(pieces)
    digests = Digests(sizes)
    for piece in pieces:
        digests.add(piece)
    assert digests.size == len(whole)
    for size in sizes:
        if size > len(whole):
            assert size not in digests.at
        elif pieces:
            alone = Digests([])
            alone.add(whole[:size])
            assert digests.at[size] == alone.digest


def test_a_packed_file_has_the_content_of_the_plain_one(tmp_path: Path) -> None:
    data = b"a,b\n" * 100_000
    plain, packed = tmp_path / "log.csv", tmp_path / "log.csv.gz"
    plain.write_bytes(data)
    packed.write_bytes(gzip.compress(data[:1_000]) + gzip.compress(data[1_000:]))
    for path in (plain, packed):
        content = Content(path)
        assert b"".join(content.pieces()) == data
        with content.open(300_001) as stream:
            assert stream.read() == data[300_001:]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no gzip",
        gzip.compress(b"x" * 999, mtime=0)[:-9],
        gzip.compress(b"x" * 99, mtime=0) + b"rest",
    ],
)
def test_a_packed_file_that_is_damaged_is_told_in_one_line(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "log.csv.gz"
    path.write_bytes(data)
    if not data:
        assert list(Content(path).pieces()) == []
        return
    with pytest.raises(InputError, match=r"log\.csv\.gz: cannot be unpacked: ") as told:
        list(Content(path).pieces())
    assert "\n" not in str(told.value)


def test_what_cannot_be_read_again_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no regular file"):
        Content(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        Content(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("access.csv", "access"),
        ("access.log.csv.gz", "access.log"),
        ("my log (1).ndjson", "my-log-1"),
        ("журнал.csv", "file"),
        ("...", "..."),
        ("x" * 200 + ".csv", "x" * 48),
    ],
)
def test_a_source_is_called_as_its_file_is_fit_for_a_node(name: str, expected: str) -> None:
    assert name_of(Path(name)) == expected


@given(
    st.text("abc-._0", min_size=1), st.integers(0, 2**60), st.text("0123456789abcdef", min_size=1)
)
def test_a_source_is_known_again_by_its_key(name: str, size: int, digest: str) -> None:
    source = Source(name, digest, size, digest)
    assert parse_source(source.key) == source
    for foreign in (source.key + "#bytes", f"prometheus:{name}", "import:x", ""):
        assert parse_source(foreign) is None
