"""A round sends every boot's next lines, and deletes only what the receiver says it has."""

from dataclasses import replace
from pathlib import Path

import pytest

from collectors.forwarding.forwarder import Forwarder
from collectors.forwarding.receiver_client import (
    Answer,
    ReceiverClient,
    RefusedError,
    TokenRefusedError,
    UnreachableError,
)
from usage import Boot, Position, SpoolWriter, boots

BOOTS = [f"0198c0de-0000-7000-8000-00000000000{digit}" for digit in (1, 2)]


class FakeReceiver(ReceiverClient):
    """Takes everything, but what it is told to refuse."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", None)
        self.positions: dict[str, Position] = {}
        self.errors: dict[str, Exception] = {}
        self.sent: list[tuple[str, bytes]] = []

    def reached(self, boot: Boot) -> Answer:
        if boot.boot_id in self.errors:
            raise self.errors[boot.boot_id]
        return Answer(self.positions.get(boot.boot_id, Position()))

    def send(
        self, boot: Boot, start: Position, body: bytes, *, stray_end: int | None = None
    ) -> Answer:
        answer = self.reached(boot)
        if start.segment == answer.reached.segment and start != answer.reached:
            return replace(answer, accepted=False, words="status 409: a gap")
        self.sent.append((boot.boot_id, body))
        end = start.offset + len(body) if stray_end is None else stray_end
        self.positions[boot.boot_id] = Position(start.segment, end)
        return Answer(self.positions[boot.boot_id])


@pytest.fixture
def receiver() -> FakeReceiver:
    return FakeReceiver()


def written(spool: Path, boot_id: str, *lines: bytes, segment_bytes: int = 2**20) -> SpoolWriter:
    out = SpoolWriter(spool, "node-1", boot_id, segment_bytes=segment_bytes)
    for line in lines:
        out.append(line)
    return out


def test_a_boot_that_is_refused_does_not_hold_up_the_others_and_is_told_of_once(
    tmp_path: Path, receiver: FakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for boot_id in BOOTS:
        written(tmp_path, boot_id, b"a\n").close()
    forwarder = Forwarder(tmp_path, receiver)
    receiver.errors = {BOOTS[0]: RefusedError("status 503: full")}
    done = forwarder.forward_round()
    assert (done.lines, done.bytes, done.trouble) == (1, 2, "status 503: full")
    for _ in range(3):
        forwarder.forward_round()
    assert receiver.sent == [(BOOTS[1], b"a\n")]
    assert [boot.boot_id for boot in boots(tmp_path)] == [BOOTS[0]]
    receiver.errors = {}
    assert forwarder.forward_round().trouble == ""
    assert caplog.messages == [
        f"node-1/{BOOTS[0]}: status 503: full; trying again",
        f"node-1/{BOOTS[0]}: forwarded again",
    ]


def test_a_receiver_out_of_reach_is_asked_once_a_round_and_told_of_once(
    tmp_path: Path, receiver: FakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    (tmp_path / "node-1" / "0198c0de-0000-7000-8000-000000000000").mkdir(parents=True)
    for boot_id in BOOTS:
        written(tmp_path, boot_id, b"a\n").close()
    receiver.errors = dict.fromkeys(BOOTS, UnreachableError("refused"))
    forwarder = Forwarder(tmp_path, receiver)
    for _ in range(3):
        assert forwarder.forward_round().trouble == "refused"
    assert caplog.messages == ["the receiver cannot be reached: refused; trying again"]
    receiver.errors = {}
    assert forwarder.forward_round().lines == 2
    assert caplog.messages[1:] == ["the receiver answers again"]


def test_a_token_that_is_refused_ends_the_round(tmp_path: Path, receiver: FakeReceiver) -> None:
    written(tmp_path, BOOTS[0], b"a\n").close()
    receiver.errors = {BOOTS[0]: TokenRefusedError("status 401")}
    with pytest.raises(TokenRefusedError):
        Forwarder(tmp_path, receiver).forward_round()
    assert len(boots(tmp_path)) == 1


def test_there_is_more_until_what_was_there_at_the_beginning_of_the_round_is_sent(
    tmp_path: Path, receiver: FakeReceiver
) -> None:
    out = written(tmp_path, BOOTS[0], b"a\n", b"b\n", b"c\n", segment_bytes=4)
    forwarder = Forwarder(tmp_path, receiver)
    rounds = [forwarder.forward_round() for _ in range(3)]
    assert [(done.lines, done.more) for done in rounds] == [(2, True), (1, False), (0, False)]
    out.append(b"d\n")
    assert forwarder.forward_round().lines == 1
    out.close()
    forwarder.forward_round()
    assert boots(tmp_path) == []
    assert b"".join(body for _, body in receiver.sent) == b"a\nb\nc\nd\n"


def test_after_a_gap_is_told_it_goes_on_from_where_the_receiver_is(
    tmp_path: Path, receiver: FakeReceiver
) -> None:
    out = written(tmp_path, BOOTS[0], b"a\n", b"b\n")
    forwarder = Forwarder(tmp_path, receiver)
    assert forwarder.forward_round().lines == 2
    receiver.positions[BOOTS[0]] = Position(1, 2)  # it lost what it had told
    out.append(b"c\n")
    done = forwarder.forward_round()
    assert (done.lines, done.more, done.trouble) == (0, True, "status 409: a gap")
    assert forwarder.forward_round().lines == 2
    assert receiver.sent[-1] == (BOOTS[0], b"b\nc\n")
    out.close()


def test_what_the_receiver_does_not_say_it_has_stays(
    tmp_path: Path, receiver: FakeReceiver
) -> None:
    written(tmp_path, BOOTS[0], b"a\n", b"b\n").close()
    receiver.send = lambda *_, **__: Answer(Position(1, 2))  # type: ignore[method-assign]
    Forwarder(tmp_path, receiver).forward_round()
    [boot] = boots(tmp_path)
    assert boot.segments() == [1]
    receiver.positions[BOOTS[0]] = Position(2, 0)
    Forwarder(tmp_path, receiver).forward_round()
    assert boots(tmp_path) == []


def test_a_spool_that_cannot_be_read_is_a_trouble_of_its_boot(
    tmp_path: Path, receiver: FakeReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    written(tmp_path, BOOTS[1], b"a\n").close()
    (tmp_path / "node-1" / BOOTS[0] / "00000001.ndjson").mkdir(parents=True)
    done = Forwarder(tmp_path, receiver).forward_round()
    assert (done.lines, "Is a directory" in done.trouble) == (1, True)
    assert len(caplog.messages) == 1
