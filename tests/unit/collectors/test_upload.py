"""Which part of what is posted is new."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.receiving.upload import GapError, OverlapError, Upload
from usage import Position


def lines(segment: int, offset: int, body: bytes) -> Upload:
    return Upload(Position(segment, offset), Position(segment, offset + len(body)), body)


def stray(segment: int, offset: int, end: int) -> Upload:
    return Upload(Position(segment, offset), Position(segment, end), b"{", stray=True)


def test_what_begins_where_the_last_ended_is_all_new() -> None:
    upload = lines(3, 10, b"a\nb\n")
    assert upload.after(Position(3, 10)) is upload


@pytest.mark.parametrize("segment", [4, 9])
def test_a_later_segment_is_new_from_its_beginning_on(segment: int) -> None:
    upload = lines(segment, 0, b"a\n")
    assert upload.after(Position(3, 10)) is upload


@pytest.mark.parametrize("reached", [Position(3, 14), Position(3, 99), Position(4, 0)])
def test_what_lies_wholly_before_is_not_new(reached: Position) -> None:
    assert lines(3, 10, b"a\nb\n").after(reached) is None
    assert stray(3, 10, 14).after(reached) is None


def test_of_an_overlap_the_lines_behind_the_position_are_new() -> None:
    assert lines(3, 10, b"a\nb\nc\n").after(Position(3, 12)) == lines(3, 12, b"b\nc\n")


@pytest.mark.parametrize("upload", [lines(3, 11, b"a\n"), lines(4, 1, b"a\n"), stray(3, 12, 20)])
def test_what_leaves_something_out_is_refused_and_told_where_to_go_on(upload: Upload) -> None:
    with pytest.raises(GapError, match=r"accepted: segment 3, offset 10, or offset 0 of a later"):
        upload.after(Position(3, 10))


@pytest.mark.parametrize("upload", [lines(3, 10, b"aa\nb\n"), stray(3, 10, 99)])
def test_what_was_received_otherwise_is_refused(upload: Upload) -> None:
    with pytest.raises(OverlapError, match="segment 3, offset 12"):
        upload.after(Position(3, 12))


@given(st.lists(st.binary(max_size=9).map(lambda raw: raw.replace(b"\n", b" ") + b"\n")), st.data())
def test_any_cut_between_lines_gives_what_was_received_and_what_is_new(
    bodies: list[bytes], data: st.DataObject
) -> None:
    body = b"".join(bodies)
    count = data.draw(st.integers(0, len(bodies)))
    known = b"".join(bodies[:count])
    fresh = lines(1, 5, body).after(Position(1, 5 + len(known)))
    assert known + (fresh.body if fresh else b"") == body
