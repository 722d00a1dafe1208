"""The forwarder as a process: from the spool of one machine to that of another, each line once."""

import json
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.fixtures_usage import BOOT_ID, NODE_ID, usage_record
from tests.integration.collector_process import WAIT_S, collect, query, run, running, until
from tests.integration.receiver_process import held_port, receiving
from usage import SpoolWriter, boots, encode_line

MIB = 2**20


@pytest.fixture
def near(tmp_path: Path) -> Path:
    """The spool of the node's machine."""
    return tmp_path / "near"


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """The spool of the receiver's machine."""
    return tmp_path / "far"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "usage.duckdb"


def record(seq: int) -> bytes:
    record_id = f"0198c0de-0000-7000-8000-{seq:012x}"
    return encode_line(usage_record(record_id=record_id, seq=seq))


def forwarding(
    spool: Path, url: str, *options: str
) -> AbstractContextManager["subprocess.Popen[str]"]:
    return running("forward", "--spool", spool, "--to", url, "--interval", "0.02", *options)


def logged(log: str) -> list[str]:
    return [line.partition("forwarder: ")[2] for line in log.splitlines()]


def test_what_a_spool_holds_is_stored_on_the_other_machine_and_gone_here(
    near: Path, far: Path, database: Path
) -> None:
    out = SpoolWriter(near, NODE_ID, BOOT_ID, segment_bytes=10_000)
    for seq in range(1, 101):
        out.append(record(seq))
    with receiving(far) as receiver:
        finished = run("forward", "--spool", near, "--to", receiver.url, "--once")
        assert (finished.returncode, finished.stderr) == (0, "")
        assert json.loads(finished.stdout) == {
            "lines": 100,
            "bytes": sum(len(record(seq)) for seq in range(1, 101)),
        }
        [boot] = boots(near)
        assert len(boot.segments()) == 1, "that which its node still writes"
        out.append(record(101))
        out.close()
        assert run("forward", "--spool", near, "--to", receiver.url, "--once").returncode == 0
    assert boots(near) == []
    assert collect(far, database) == {"records": 101, "samples": 0, "rejected": 0}
    assert query(database, "SELECT count(DISTINCT record_id) FROM usage_record") == [(101,)]


@pytest.mark.parametrize("torn", [record(2)[:-1], b'{"kind":"usage_rec'], ids=["whole", "half"])
def test_a_torn_last_line_is_rejected_there_as_it_would_be_here_even_when_it_is_whole_json(
    near: Path, far: Path, database: Path, torn: bytes
) -> None:
    out = SpoolWriter(near, NODE_ID, BOOT_ID)
    out.append(record(1))
    segment = near / NODE_ID / BOOT_ID / "00000001.ndjson"
    with segment.open("ab") as file:
        file.write(torn)
    with receiving(far) as receiver:
        for _ in range(2):
            finished = run("forward", "--spool", near, "--to", receiver.url, "--once")
            assert (finished.returncode, finished.stderr) == (0, ""), "its writer lives"
        out.close()
        content = segment.read_bytes()
        finished = run("forward", "--spool", near, "--to", receiver.url, "--once")
        assert logged(finished.stderr) == [
            f"{NODE_ID}/{BOOT_ID}: forwarded to be rejected: "
            f"torn after {len(torn)} bytes: its writer was killed"
        ]
        assert boots(near) == []
        segment.parent.mkdir()
        segment.write_bytes(content)  # as if it was killed between the answer and the deletion
        finished = run("forward", "--spool", near, "--to", receiver.url, "--once")
        assert (json.loads(finished.stdout), boots(near)) == ({"lines": 0, "bytes": 0}, [])
    assert collect(far, database) == {"records": 1, "samples": 0, "rejected": 1}
    assert query(database, "SELECT line, reason FROM rejected_line") == [
        (torn.decode(), f"torn after {len(torn)} bytes: its writer was killed")
    ]


def test_a_line_too_long_to_be_one_does_not_stand_in_the_way_of_those_behind_it(
    near: Path, far: Path, database: Path
) -> None:
    out = SpoolWriter(near, NODE_ID, BOOT_ID)
    out.append(record(1) + b"x" * 20 * MIB + b"\n" + record(2))
    out.close()
    with receiving(far) as receiver:
        finished = run("forward", "--spool", near, "--to", receiver.url, "--once")
    assert [f"a line of {20 * MIB + 1} bytes" in line for line in logged(finished.stderr)] == [True]
    assert boots(near) == []
    assert collect(far, database) == {"records": 2, "samples": 0, "rejected": 1}


def test_many_mebibytes_go_in_pieces_that_the_receiver_takes(
    near: Path, far: Path, database: Path
) -> None:
    out = SpoolWriter(near, NODE_ID, BOOT_ID)
    out.append(b"x" * 1_000_000 + b"\n")
    for _ in range(19):
        out.append(b"y" * 999_999 + b"\n")
    out.close()
    with receiving(far, "--limit-bytes", str(8 * MIB)) as receiver:
        finished = run("forward", "--spool", near, "--to", receiver.url, "--once")
        assert (finished.returncode, finished.stderr) == (0, "")
    [boot] = boots(far)
    sizes = [(boot.folder / f"{number:08d}.ndjson").stat().st_size for number in boot.segments()]
    assert sum(sizes) == 20_000_001
    assert len(sizes) == 3


def test_a_receiver_that_is_down_is_waited_for_and_told_of_once_however_often_it_is_tried(
    near: Path, far: Path
) -> None:
    out = SpoolWriter(near, NODE_ID, BOOT_ID)
    with held_port() as port, forwarding(near, f"http://127.0.0.1:{port}") as forwarder:
        assert forwarder.stderr is not None
        for seq in (1, 2):
            out.append(record(seq))
            told = logged(forwarder.stderr.readline())
            assert told == ["the receiver cannot be reached: Connection refused; trying again"]
            with receiving(far, port=port) as receiver:
                assert logged(forwarder.stderr.readline()) == ["the receiver answers again"]
                due = seq * len(record(1))
                until("it is received", lambda: receiver.offset() == due)  # noqa: B023 - at once
        forwarder.terminate()
        printed, log = forwarder.communicate(timeout=WAIT_S)
    out.close()
    assert (forwarder.returncode, log) == (0, "")
    assert json.loads(printed)["lines"] == 2


def test_a_stop_sends_what_is_left_and_exits_cleanly(near: Path, far: Path) -> None:
    out = SpoolWriter(near, NODE_ID, BOOT_ID)
    out.append(record(1))
    size = len(record(1))
    with receiving(far) as receiver:
        with forwarding(near, receiver.url, "--interval", "60") as forwarder:
            until("one is sent", lambda: receiver.offset() == size)
            out.append(record(2))
            out.close()
            forwarder.terminate()
            printed, log = forwarder.communicate(timeout=WAIT_S)
        assert (forwarder.returncode, log) == (0, "")
        assert json.loads(printed) == {"lines": 2, "bytes": 2 * size}
        assert receiver.offset() == 2 * size
    assert boots(near) == []


def test_without_a_receiver_once_says_so_and_the_spool_keeps_everything(near: Path) -> None:
    out = SpoolWriter(near, NODE_ID, BOOT_ID)
    out.append(record(1))
    out.close()
    with held_port() as port:
        finished = run("forward", "--spool", near, "--to", f"http://127.0.0.1:{port}", "--once")
    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr.splitlines()[-1] == (
        "not all is sent, the spool keeps it: Connection refused"
    )
    assert len(boots(near)) == 1


@pytest.fixture
def heard() -> Iterator[None]:
    """Let children hear SIGINT: they inherit it when whoever started the tests ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_once_can_be_interrupted_while_the_receiver_is_silent(near: Path) -> None:
    SpoolWriter(near, NODE_ID, BOOT_ID).append(record(1))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with forwarding(near, url, "--once") as forwarder:
            connection, _ = silent.accept()
            with connection:
                forwarder.send_signal(signal.SIGINT)
                printed, log = forwarder.communicate(timeout=WAIT_S / 3)
    assert (forwarder.returncode, printed, log) == (130, "", "")
    assert len(boots(near)) == 1


@pytest.mark.parametrize("token", ["wrong-secret", None])
def test_a_token_that_is_refused_ends_it_and_is_not_told(
    near: Path, far: Path, tmp_path: Path, token: str | None
) -> None:
    known, shown = tmp_path / "known", tmp_path / "shown"
    known.write_text("right-secret\n")
    shown.write_text(f"{token}\n")
    options: list[str | Path] = [] if token is None else ["--token-file", shown]
    SpoolWriter(near, NODE_ID, BOOT_ID).append(record(1))
    with receiving(far, "--token-file", str(known)) as receiver:
        finished = run("forward", "--spool", near, "--to", receiver.url, *options)
        assert finished.returncode == 1
        assert finished.stderr.splitlines()[-1].startswith(
            "the receiver refuses the token: status 401: accepted: header authorization"
        )
        assert "secret" not in finished.stderr
        known_options: list[str | Path] = ["--token-file", known, "--once"]
        finished = run("forward", "--spool", near, "--to", receiver.url, *known_options)
        assert (finished.returncode, json.loads(finished.stdout)["lines"]) == (0, 1)
        assert "secret" not in finished.stderr + receiver.stop()[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--to", "example.com"), "--to is no address"),
        (("--to", "ftp://example.com"), "--to is no address"),
        (("--to", "http://example.com:port"), "--to is no address"),
        (("--to", "http://me:secret@example.com"), "--to is no address"),
        (("--to", "http://[secret]"), "--to is no address"),
        (("--to", "http://me:secret℀@example.com"), "--to is no address"),
        (("--to", "http://a..b"), "--to is no address"),
        (("--to", "http://a b"), "--to is no address"),
        (("--to", "http://example.com/é"), "--to is no address"),
        (("--to", "http://localhost", "--token-file", "/nowhere"), "/nowhere: No such file"),
    ],
)
def test_a_forwarder_that_cannot_start_says_why_in_one_line(
    near: Path, options: tuple[str, ...], words: str
) -> None:
    finished = run("forward", "--spool", near, *options)
    assert (finished.returncode, finished.stderr.count("\n")) == (1, 1)
    assert words in finished.stderr
    assert "secret" not in finished.stderr


def test_a_second_forwarder_of_a_spool_says_who_has_it_and_exits(near: Path, far: Path) -> None:
    SpoolWriter(near, NODE_ID, BOOT_ID).append(record(1))
    with receiving(far) as receiver, forwarding(near, receiver.url) as forwarder:
        until("it has begun", lambda: receiver.offset() > 0)
        finished = run("forward", "--spool", near, "--to", receiver.url, "--once")
    assert finished.returncode == 1
    assert finished.stderr == (
        f"{near}: another forwarder works on it already (process {forwarder.pid})\n"
    )


def test_what_a_full_disk_over_there_does_not_take_waits_here(
    near: Path, far: Path, database: Path
) -> None:
    out = SpoolWriter(near, NODE_ID, BOOT_ID)
    out.append(b"".join(record(seq) for seq in range(1, 101)))
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    with receiving(far) as receiver:
        resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, (5_000, unlimited[1]))
        with forwarding(near, receiver.url) as forwarder:
            assert forwarder.stderr is not None
            assert logged(forwarder.stderr.readline()) == [
                f"{NODE_ID}/{BOOT_ID}: status 503: not stored now: File too large; try again; "
                "trying again"
            ]
            assert boots(far) == [] or boots(far)[0].segments() == []
            resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, unlimited)
            assert logged(forwarder.stderr.readline()) == [f"{NODE_ID}/{BOOT_ID}: forwarded again"]
            out.close()
            until("all is sent", lambda: boots(near) == [])
    assert collect(far, database)["records"] == 100


def test_a_receiver_that_has_less_than_it_said_is_sent_again_what_is_still_here(
    near: Path, tmp_path: Path
) -> None:
    out = SpoolWriter(near, NODE_ID, BOOT_ID)
    out.append(record(1))
    size = len(record(1))
    with held_port() as port, forwarding(near, f"http://127.0.0.1:{port}") as forwarder:
        for seq in (1, 2):
            # Another spool, as if the disk of the first was lost.
            with receiving(tmp_path / f"far-{seq}", port=port) as receiver:
                due = seq * size
                until("all is sent", lambda: receiver.offset() == due)  # noqa: B023 - at once
            out.append(record(2))
        forwarder.kill()
        assert forwarder.stderr is not None
        log = forwarder.stderr.read()
    out.close()
    assert "status 409: position is segment 1, offset" in log
    [boot] = boots(tmp_path / "far-2")
    content = [(boot.folder / f"{n:08d}.ndjson").read_bytes() for n in boot.segments()]
    assert b"".join(content)[: 2 * size] == record(1) + record(2)
