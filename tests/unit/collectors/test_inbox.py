"""The inbox has the sender's bytes once and in order, wherever it is killed or refused."""

import contextlib
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.receiving.boot_inbox import InboxError
from collectors.receiving.inbox import Inbox
from collectors.receiving.inbox_state import STATES
from collectors.receiving.upload import Upload, UploadError
from tests.unit.collectors.faulty_disk import Fault, FaultyDisk, Killed
from usage import Boot, Position, SpoolWriter, boots

NODE = "node-1"
BOOT = "0198c0de-0000-7000-8000-000000000001"


def lines(segment: int, offset: int, body: bytes) -> Upload:
    return Upload(Position(segment, offset), Position(segment, offset + len(body)), body)


@dataclass
class Collector:
    """Reads a spool and deletes what it read, as a collector does; keeps what it saw."""

    spool: Path
    seen: list[bytes] = field(default_factory=list)
    position: Position = field(default_factory=Position)

    def collect(self) -> None:
        boot = Boot(self.spool / NODE / BOOT)
        while (chunk := boot.read(self.position, 1_000)) is not None:
            self.seen += [line + b"\n" for _, line in chunk.lines()]
            if chunk.stray is not None:
                self.seen.append(chunk.stray.head)
            self.position = chunk.end
        boot.delete_consumed(self.position)


@dataclass
class Sender:
    """The pieces of a sender's spool: lines, and at the end of a segment maybe a torn one."""

    pieces: list[list[Upload]]

    @property
    def content(self) -> list[bytes]:
        return [piece.body for segment in self.pieces for piece in segment]

    def may_follow(self, start: Position, reached: Position) -> bool:
        """Tell whether a sender would begin there: it begins a segment when it sent all before."""
        ends = [segment[-1].end for segment in self.pieces if segment]
        return not any(reached < end < start for end in ends)

    def upload(self, segment: int, first: int, count: int) -> Upload | None:
        """Return `count` lines from the `first` on, or the torn one; None where there is none."""
        pieces = self.pieces[segment % len(self.pieces)]
        if not pieces:
            return None
        first %= len(pieces)
        if pieces[first].stray:
            return pieces[first]
        taken = [piece for piece in pieces[first : first + count] if not piece.stray]
        body = b"".join(piece.body for piece in taken)
        return Upload(taken[0].start, taken[-1].end, body)


@st.composite
def senders(draw: st.DrawFn) -> Sender:
    segments: list[list[Upload]] = []
    for number in range(1, draw(st.integers(1, 4)) + 1):
        pieces: list[Upload] = []
        offset = 0
        for place in range(draw(st.integers(0, 5))):
            body = f"{number}-{place}".encode() + b"." * draw(st.integers(0, 8)) + b"\n"
            pieces.append(lines(number, offset, body))
            offset += len(body)
        if draw(st.booleans()):
            torn_bytes = draw(st.integers(3, 50))
            end = Position(number, offset + torn_bytes)
            pieces.append(Upload(Position(number, offset), end, b"%d-t" % number, stray=True))
        segments.append(pieces)
    return Sender(segments)


@dataclass(frozen=True)
class Attempt:
    segment: int
    first: int
    count: int
    fault: Fault | None
    after_calls: int
    restart: bool
    looks: int  # the bits tell before which calls the collector looks


ATTEMPTS = st.lists(
    st.builds(
        Attempt,
        segment=st.integers(0, 3),
        first=st.integers(0, 5),
        count=st.integers(1, 6),
        fault=st.sampled_from([None, None, "killed", "killed", "refused", "broken"]),
        after_calls=st.integers(0, 30),
        restart=st.booleans(),
        looks=st.integers(0, 2**30),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=300)
@given(sender=senders(), attempts=ATTEMPTS)
def test_any_posts_kills_and_faults_with_a_collector_in_between_leave_each_byte_once_in_order(
    sender: Sender, attempts: list[Attempt]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        collector = Collector(Path(folder))
        looks = [0]

        def look() -> None:
            if looks[0] & 1:
                collector.collect()
            looks[0] >>= 1

        disk = FaultyDisk(look)
        inbox: Inbox | None = None
        told = Position()
        with disk.in_place():
            for attempt in attempts:
                upload = sender.upload(attempt.segment, attempt.first, attempt.count)
                looks[0] = attempt.looks
                disk.arm(attempt.fault, attempt.after_calls)
                try:
                    if inbox is None or attempt.restart:
                        inbox = Inbox(collector.spool)
                    reached = inbox.reached(NODE, BOOT)
                    assert reached >= told
                    if upload is None or not sender.may_follow(upload.start, reached):
                        continue
                    told = inbox.add(NODE, BOOT, upload)
                    assert told >= upload.end
                except Killed:
                    inbox = None
                except (InboxError, UploadError):
                    pass
            disk.arm(None, 0)
            looks[0] = 0
            inbox = Inbox(collector.spool)
            for segment in sender.pieces:
                for upload in segment:
                    assert inbox.add(NODE, BOOT, upload) >= upload.end
        collector.collect()
        assert collector.seen == sender.content
        assert boots(collector.spool) == []


def looking(collector: Collector, removals: int) -> Callable[[], None]:
    """Have `collector` look each time, and remove the empty folder so many times at most."""
    left = removals

    def look() -> None:
        nonlocal left
        found = boots(collector.spool)
        empty = any(not list(boot.folder.iterdir()) for boot in found)
        if left > 0 or not empty:
            collector.collect()
            left -= len(found) - len(boots(collector.spool))

    return look


@pytest.mark.parametrize("fault", ["killed", "refused", "broken"])
@pytest.mark.parametrize("collects", [False, True], ids=["", "while a collector reads"])
@pytest.mark.parametrize("cut_anew", [False, True], ids=["", "cut anew"])
def test_at_whichever_call_a_batch_breaks_off_the_same_lines_again_are_stored_once(
    tmp_path: Path, fault: Fault, collects: bool, cut_anew: bool
) -> None:
    after_calls = 0
    done = False
    while not done:
        collector = Collector(tmp_path / str(after_calls))
        collector.spool.mkdir()
        disk = FaultyDisk(looking(collector, removals=5) if collects else lambda: None)
        with disk.in_place():
            inbox = Inbox(collector.spool)
            inbox.add(NODE, BOOT, lines(1, 0, b"a\n"))
            disk.arm(fault, after_calls)
            upload = lines(1, 2, b"b\nc\n")
            killed = False
            try:
                inbox.add(NODE, BOOT, upload)
            except Killed:
                killed = True
            except InboxError as error:
                assert error.reason == "No space left on device"
            done = not disk.has_failed
            disk.arm(None, 0)
            if killed:
                inbox = Inbox(collector.spool)
            if cut_anew:
                inbox.add(NODE, BOOT, lines(1, 2, b"b\n"))
            assert inbox.add(NODE, BOOT, upload) == upload.end
            assert inbox.reached(NODE, BOOT) == upload.end
        collector.collect()
        assert collector.seen == [b"a\n", b"b\n", b"c\n"]
        assert boots(collector.spool) == []
        after_calls += 1
    assert after_calls > 10, "there were so many calls to break off at"


def test_each_step_is_on_the_disk_before_the_next_begins(tmp_path: Path) -> None:
    disk = FaultyDisk(lambda: None)
    with disk.in_place():
        inbox = Inbox(tmp_path)
        inbox.add(NODE, BOOT, lines(1, 0, b"a\n"))
        disk.log.clear()
        inbox.add(NODE, BOOT, lines(1, 2, b"b\n"))
    held, state = ".00000002.ndjson.held", f"{BOOT}.json.new"
    assert [call for call in disk.log if not call.startswith("open")] == [
        f"write {held}",
        f"fsync {held}",
        f"fsync {BOOT}",
        f"write {state}",
        f"fsync {state}",
        f"rename {state}",
        f"fsync {NODE}",
        f"rename {held}",
        f"fsync {BOOT}",
    ]


def test_a_new_boots_folders_are_on_the_disk_too(tmp_path: Path) -> None:
    disk = FaultyDisk(lambda: None)
    with disk.in_place():
        Inbox(tmp_path).add(NODE, BOOT, lines(1, 0, b"a\n"))
    before = disk.log[: disk.log.index(f"write {BOOT}.json.new")]
    assert before.count(f"fsync {NODE}") == 1
    assert {f"fsync {STATES}", f"fsync {tmp_path.name}"} <= set(before)


def test_numbers_go_on_after_everything_was_consumed_and_the_receiver_was_restarted(
    tmp_path: Path,
) -> None:
    collector = Collector(tmp_path)
    for number in range(1, 4):
        inbox = Inbox(tmp_path)
        inbox.add(NODE, BOOT, lines(number, 0, b"line\n"))
        [boot] = boots(tmp_path)
        assert boot.segments() == [number]
        collector.collect()
        assert boots(tmp_path) == []
    assert collector.seen == [b"line\n"] * 3


def test_what_a_killed_receiver_accounted_for_is_shown_though_its_sender_never_comes_again(
    tmp_path: Path,
) -> None:
    Inbox(tmp_path).add(NODE, BOOT, lines(1, 0, b"a\n"))
    [boot] = boots(tmp_path)
    held = boot.folder / ".00000001.ndjson.held"
    (boot.folder / "00000001.ndjson").rename(held)
    unknown = boot.folder / ".00000002.ndjson.held"
    unknown.write_bytes(b"b\n")
    Inbox(tmp_path)
    assert boot.segments() == [1]
    assert boot.held() == []


def test_a_boot_that_somebody_else_writes_in_the_same_spool_is_not_received(
    tmp_path: Path,
) -> None:
    out = SpoolWriter(tmp_path, NODE, BOOT)
    out.append(b"mine\n")
    with pytest.raises(InboxError, match=r"segment 1 is not of this receiver") as caught:
        Inbox(tmp_path).add(NODE, BOOT, lines(1, 0, b"a\n"))
    assert caught.value.reason == "something else writes this boot in the same spool"
    out.close()
    collector = Collector(tmp_path)
    collector.collect()
    assert collector.seen == [b"mine\n"]


@pytest.mark.parametrize("content", [b"", b"{}x", b'{"number":-1}', b'{"n":1}', b"\xff"])
def test_a_state_that_cannot_be_read_is_an_error_and_no_new_beginning(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox(tmp_path)
    inbox.add(NODE, BOOT, lines(1, 0, b"a\n"))
    state = tmp_path / STATES / NODE / f"{BOOT}.json"
    state.write_bytes(content)
    [boot] = boots(tmp_path)
    (boot.folder / ".00000002.ndjson.held").touch()
    inbox = Inbox(tmp_path)
    assert str(state) in caplog.messages[0]
    for _ in range(2):
        with pytest.raises(InboxError, match="json") as caught:
            inbox.add(NODE, BOOT, lines(1, 2, b"b\n"))
        assert caught.value.reason == "the state of this boot cannot be read"
    assert inbox.reached(NODE, "0198c0de-0000-7000-8000-000000000002") == Position()


def test_what_many_post_at_once_is_stored_once(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    body = b"".join(b"line %d\n" % number for number in range(60))
    ends = [place + 1 for place, byte in enumerate(body) if byte == ord("\n")]

    def send() -> None:
        for begin, end in zip([0, *ends], ends[2:], strict=False):
            with contextlib.suppress(UploadError):
                inbox.add(NODE, BOOT, lines(1, begin, body[begin:end]))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    collector = Collector(tmp_path)
    while any(thread.is_alive() for thread in threads):
        collector.collect()
    for thread in threads:
        thread.join()
    collector.collect()
    assert b"".join(collector.seen) == body


def test_asking_for_a_boot_that_never_sent_leaves_nothing_in_the_spool(tmp_path: Path) -> None:
    assert Inbox(tmp_path).reached(NODE, BOOT) == Position()
    assert list(tmp_path.iterdir()) == []
