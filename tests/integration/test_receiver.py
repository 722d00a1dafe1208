"""The receiver as a process: what is answered 200 is on the disk, and there once."""

import gzip
import resource
import signal
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures_usage import BOOT_ID, NODE_ID, node_sample, usage_record
from tests.integration.collector_process import collect, run
from tests.integration.receiver_process import BOOT_PATH, ReceiverProcess, receiving
from usage import boots, encode_line

MIB = 2**20
UPLOAD_PATH = f"{BOOT_PATH}/1/0"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def receiver(spool: Path) -> Iterator[ReceiverProcess]:
    with receiving(spool, "--limit-bytes", str(MIB)) as process:
        yield process


def content(spool: Path) -> bytes:
    """Return everything that a collector would see of the one boot."""
    return b"".join(
        (boot.folder / f"{number:08d}.ndjson").read_bytes()
        for boot in boots(spool)
        for number in boot.segments()
    )


def reached(segment: int, offset: int) -> dict[str, int]:
    return {"segment": segment, "offset": offset}


def test_what_is_posted_is_in_the_spool_when_it_is_answered_and_the_position_is_told(
    spool: Path, receiver: ReceiverProcess
) -> None:
    assert receiver.ask("GET") == (200, reached(1, 0))
    assert receiver.post(1, 0, b"a\nb\n") == (200, reached(1, 4))
    assert content(spool) == b"a\nb\n"
    assert receiver.post(1, 4, b"c\n") == (200, reached(1, 6))
    assert receiver.post(4, 0, b"d\n") == (200, reached(4, 2))
    assert receiver.ask("GET") == (200, reached(4, 2))
    assert content(spool) == b"a\nb\nc\nd\n"


def test_a_duplicate_is_not_stored_of_an_overlap_the_rest_is_and_a_gap_is_refused(
    spool: Path, receiver: ReceiverProcess
) -> None:
    for _ in range(2):
        assert receiver.post(2, 0, b"a\nb\n") == (200, reached(2, 4))
    assert receiver.post(1, 0, b"long before\n") == (200, reached(2, 4))
    assert receiver.post(2, 2, b"b\nc\n") == (200, reached(2, 6))
    for segment, offset in ((2, 8), (3, 2)):
        status, answer = receiver.post(segment, offset, b"x\n")
        assert status == 409
        assert f"position is segment {segment}, offset {offset}" in answer.pop("error")
        assert answer == reached(2, 6)
    assert content(spool) == b"a\nb\nc\n"


def test_a_collector_stores_what_was_received_and_the_receiver_remembers_it_all_the_same(
    spool: Path, tmp_path: Path
) -> None:
    database = tmp_path / "usage.duckdb"
    first = encode_line(usage_record()) + encode_line(node_sample())
    with receiving(spool) as receiver:
        assert receiver.post(1, 0, first)[0] == 200
        assert collect(spool, database) == {"records": 1, "samples": 1, "rejected": 0}
        assert boots(spool) == []
    with receiving(spool) as receiver:
        assert receiver.post(1, 0, first) == (200, reached(1, len(first)))
        assert boots(spool) == []
        second = encode_line(usage_record(seq=2)) + b"no fact\n"
        assert receiver.post(1, len(first), second)[0] == 200
        torn = f"{BOOT_PATH}/1/{len(first) + len(second)}?stray_end=9000"
        assert receiver.ask("POST", torn, b'{"kind":') == (200, reached(1, 9000))
        assert collect(spool, database) == {"records": 1, "samples": 0, "rejected": 2}


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "words"),
    [
        ("POST", UPLOAD_PATH, b"", {}, 400, "body is empty"),
        ("POST", UPLOAD_PATH, b"a\nb", {}, 400, "end in a newline"),
        ("POST", UPLOAD_PATH, b"a\n", {"Content-Encoding": "br"}, 415, "is 'br'; accepted: gzip"),
        ("POST", UPLOAD_PATH, b"a\n", {"Content-Encoding": "gzip"}, 400, "not gzip"),
        ("POST", UPLOAD_PATH, b"a\n" * MIB, {}, 413, f"at most {MIB} bytes"),
        ("POST", f"{UPLOAD_PATH}?stray_end=0", b"a", {}, 400, "stray_end is '0'"),
        ("POST", f"{UPLOAD_PATH}?x=1", b"a\n", {}, 400, "query has 'x'"),
        ("POST", f"{BOOT_PATH}/0/0", b"a\n", {}, 400, "segment is '0'"),
        ("POST", f"{BOOT_PATH}/-1/0", b"a\n", {}, 400, "segment is '-1'"),
        ("POST", f"{BOOT_PATH}/1/-1", b"a\n", {}, 400, "offset is '-1'"),
        ("POST", f"{BOOT_PATH}/1/1.5", b"a\n", {}, 400, "offset is '1.5'"),
        ("POST", f"{BOOT_PATH}/1/%D9%A1", b"a\n", {}, 400, "offset is '\u0661'"),
        ("POST", f"{BOOT_PATH}/1/{9 * 10**18}", b"a\n", {}, 400, "18 digits"),
        ("POST", f"/v1/spool/{NODE_ID}/boot/1/0", b"a\n", {}, 400, "boot_id is 'boot'"),
        ("POST", f"/v1/spool/..%2F..%2Fx/{BOOT_ID}/1/0", b"a\n", {}, 400, "node_id is '../../x'"),
        ("POST", f"/v1/spool/.receiver/{BOOT_ID}/1/0", b"a\n", {}, 400, "node_id is '.receiver'"),
        ("POST", f"/v1/spool/{NODE_ID}%0A/{BOOT_ID}/1/0", b"a\n", {}, 400, "node_id is"),
        ("GET", f"/v1/spool/{NODE_ID}/{BOOT_ID}%0A", None, {}, 400, "boot_id is"),
        ("GET", f"/v1/spool/{NODE_ID}", None, {}, 404, "path is"),
        ("GET", "/", None, {}, 404, "path is '/'"),
        ("PUT", UPLOAD_PATH, b"a\n", {}, 405, "method is PUT; accepted: POST"),
        ("POST", BOOT_PATH, b"a\n", {}, 405, "method is POST; accepted: GET"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_in_json_with_the_reason(
    receivers_of_this_file: ReceiverProcess,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
    status: int,
    words: str,
) -> None:
    answered, answer = receivers_of_this_file.ask(method, path, body, headers)
    assert (answered, words in answer.pop("error")) == (status, True)
    assert answer in ({}, reached(1, 0))
    assert receivers_of_this_file.ask("GET") == (200, reached(1, 0))


@pytest.fixture(scope="module")
def receivers_of_this_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverProcess]:
    spool = tmp_path_factory.mktemp("refusing") / "spool"
    with receiving(spool, "--limit-bytes", str(MIB)) as process:
        yield process
        assert [path.name for path in spool.iterdir()] == [".receiver.lock"]
        assert process.stop() == (0, "")


def test_a_packed_body_is_unpacked(spool: Path, receiver: ReceiverProcess) -> None:
    lines = b"line\n" * 1000
    answer = receiver.post(1, 0, gzip.compress(lines), Content_Encoding="gzip")
    assert answer == (200, reached(1, len(lines)))
    assert content(spool) == lines


def test_a_bomb_is_refused_and_is_never_in_memory_whole(
    spool: Path, receiver: ReceiverProcess
) -> None:
    packer = zlib.compressobj(6, wbits=31)
    bomb = b"".join(packer.compress(bytes(8 * MIB)) for _ in range(64)) + packer.flush()
    assert len(bomb) < MIB < 512 * MIB
    status, answer = receiver.post(1, 0, bomb, Content_Encoding="gzip")
    assert (status, f"at most {MIB} bytes" in answer["error"]) == (413, True)
    [peak] = [
        line.split()[1]
        for line in Path(f"/proc/{receiver.process.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    assert int(peak) * 1024 < 300 * MIB
    assert boots(spool) == []


def test_tokens_let_in_nobody_else_does_and_none_is_in_the_log(spool: Path, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("first-secret\nsecond-secret\n")
    file.chmod(0o600)
    with receiving(spool, "--token-file", str(file), "--host", "127.0.0.1") as receiver:
        assert receiver.ask("GET", "/healthz") == (200, {"status": "ok"})
        wrong = [{}, {"Authorization": "Bearer third-secret"}, {"Authorization": "first-secret"}]
        for headers in wrong:
            for method, path in (("GET", BOOT_PATH), ("POST", UPLOAD_PATH)):
                status, answer = receiver.ask(method, path, b"a\n", headers)
                assert (status, list(answer)) == (401, ["error"])
        for token in ("first-secret", "second-secret"):
            headers = {"Authorization": f"Bearer {token}"}
            assert receiver.ask("POST", UPLOAD_PATH, b"a\n", headers) == (200, reached(1, 2))
        code, log = receiver.stop()
    assert (code, "secret" in log) == (0, False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--host", "0.0.0.0"), "there is no --token-file"),
        (("--host", "::"), "there is no --token-file"),
        (("--host", ""), "there is no --token-file"),
        (("--host", "a..b"), "--host a..b: "),
        (("--token-file", "/nowhere"), "/nowhere: No such file"),
        (("--token-file", "/dev/null"), "no token in it"),
    ],
)
def test_a_receiver_that_must_not_start_says_why_in_one_line(
    spool: Path, options: tuple[str, ...], words: str
) -> None:
    finished = run("receive", "--spool", spool, "--port", "0", *options)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert words in finished.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("option", "value", "accepted"),
    [
        ("--port", "70000", "from 0 to 65535"),
        ("--limit-bytes", "1000", "from 1048576 to"),
    ],
)
def test_an_option_out_of_its_bounds_is_told_with_what_is_accepted(
    spool: Path, option: str, value: str, accepted: str
) -> None:
    finished = run("receive", "--spool", spool, option, value)
    assert (finished.returncode, finished.stdout) == (2, "")
    last = finished.stderr.splitlines()[-1]
    assert f"argument {option}: '{value}' is not accepted" in last
    assert accepted in last


def test_a_second_receiver_of_a_spool_says_who_has_it_and_exits(
    spool: Path, receiver: ReceiverProcess
) -> None:
    finished = run("receive", "--spool", spool, "--port", "0")
    assert finished.returncode == 1
    assert finished.stderr == (
        f"{spool}: another receiver works on it already (process {receiver.process.pid})\n"
    )


def test_what_a_full_disk_does_not_take_is_answered_503_and_kept_by_nobody(
    spool: Path, receiver: ReceiverProcess
) -> None:
    assert receiver.post(1, 0, b"a\n")[0] == 200
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    body = b"line\n" * 2_000
    for _ in range(2):
        resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, (5_000, unlimited[1]))
        status, answer = receiver.post(1, 2, body)
        assert (status, answer) == (
            503,
            {"error": "not stored now: File too large; try again", **reached(1, 2)},
        )
        [boot] = boots(spool)
        assert [path.name for path in boot.folder.iterdir()] == ["00000001.ndjson"]
    resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, unlimited)
    assert receiver.post(1, 2, body) == (200, reached(1, 2 + len(body)))
    assert content(spool) == b"a\n" + body
    code, log = receiver.stop()
    assert code == 0
    assert [line.partition("receiver: ")[2] for line in log.splitlines()] == [
        f"{boot.folder}: File too large; its sender keeps the lines and tries again",
        f"{NODE_ID}/{BOOT_ID}: received again",
    ]


def test_a_spool_that_cannot_be_written_is_a_reason_and_no_traceback(
    spool: Path, receiver: ReceiverProcess
) -> None:
    (spool / NODE_ID).write_text("in the way")
    status, answer = receiver.post(1, 0, b"a\n")
    assert (status, answer["error"]) == (503, "not stored now: Not a directory; try again")
    (spool / NODE_ID).unlink()
    assert receiver.post(1, 0, b"a\n") == (200, reached(1, 2))
    code, log = receiver.stop()
    assert (code, "Traceback" in log) == (0, False)


def begun_request(receiver: ReceiverProcess, body: bytes, length: int) -> socket.socket:
    """Send the head and, once the receiver is at it, `body`, the first bytes of `length`."""
    connection = socket.create_connection(("127.0.0.1", receiver.port), timeout=30)
    connection.sendall(
        f"POST {UPLOAD_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
        "Expect: 100-continue\r\n\r\n".encode()
    )
    assert b"100 Continue" in connection.recv(1000)
    connection.sendall(body)
    return connection


def test_a_sender_that_breaks_off_leaves_nothing(spool: Path, receiver: ReceiverProcess) -> None:
    begun_request(receiver, b"a\nb\n", 6).close()
    connection = begun_request(receiver, b"a\nb\n", 6)
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(1000):
        pass
    connection.close()
    assert receiver.ask("GET") == (200, reached(1, 0))
    assert boots(spool) == []
    assert receiver.post(1, 0, b"a\n") == (200, reached(1, 2))
    assert receiver.stop() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_finishes_the_request_in_flight(
    spool: Path, receiver: ReceiverProcess, number: signal.Signals
) -> None:
    connection = begun_request(receiver, b"a\n", 4)
    receiver.process.send_signal(number)
    with pytest.raises(OSError):  # it does not listen any more
        while True:
            socket.create_connection(("127.0.0.1", receiver.port), timeout=30).close()
    connection.sendall(b"b\n")
    answer = b""
    while more := connection.recv(1000):
        answer += more
    connection.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert receiver.process.wait(30) == 0
    assert content(spool) == b"a\nb\n"
