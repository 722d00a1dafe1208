"""Whatever a server answers: exact samples, or one clear line, and never a token in it."""

import json
import logging
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.prometheus.bearer_token import BearerToken
from collectors.prometheus.client import PrometheusClient
from collectors.prometheus.errors import PrometheusError, TooMuchError
from tests.integration.prometheus_process import program
from tests.unit.collectors.prometheus.scripted_server import Reply, Scripted, scripted

NOW = {"status": "success", "data": {"resultType": "scalar", "result": [1731234567.781, "1"]}}
NO_SERIES = {"status": "success", "data": {"resultType": "matrix", "result": []}}
SECRET = "s3cr3t-t0k3n"


def said(content: object, status: int = 200, **headers: str) -> Reply:
    return Reply(json.dumps(content).encode(), status, headers)


@contextmanager
def asking(
    reply: Reply | Callable[[str], Reply], **options: Any
) -> Iterator[tuple[PrometheusClient, Scripted]]:
    answer = reply if callable(reply) else lambda _: reply
    with (
        scripted(answer) as server,
        closing(PrometheusClient(server.url, **options)) as client,
    ):
        yield client, server


def failure(client: PrometheusClient, kind: type[Exception] = PrometheusError) -> str:
    with pytest.raises(kind) as caught:
        client.now_us()
    return str(caught.value)


def complaint(reply: Reply, **options: Any) -> str:
    with asking(reply, **options) as (client, _):
        message = failure(client)
    assert "\n" not in message
    assert "query=" not in message
    assert len(message) < 300
    return message


def test_the_time_of_the_server_is_exact() -> None:
    with asking(said(NOW)) as (client, _):
        assert client.now_us() == 1731234567781000


def test_a_query_names_its_range_in_whole_seconds() -> None:
    with asking(said(NO_SERIES)) as (client, server):
        assert client.samples('{job="a"}', 60_000_000, 360_000_000) == []
    [(path, _)] = server.asked
    assert urlsplit(path).path == "/api/v1/query"
    assert parse_qs(urlsplit(path).query) == {"query": ['{job="a"}[300s]'], "time": ["360"]}


def test_samples_at_the_beginning_of_a_range_are_left_out_whatever_the_server_does() -> None:
    values = [[60, "1"], [60.001, "2"], [360, "3"], [360.001, "4"]]
    answer = {"data": {"result": [{"metric": {}, "values": values}]}}
    with asking(said(answer)) as (client, _):
        [series] = client.samples("{}", 60_000_000, 360_000_000)
    assert series.times_us == [60_001_000, 360_000_000]
    assert series.values == [Decimal(2), Decimal(3)]


def test_an_address_may_have_a_path_and_a_slash_at_its_end() -> None:
    with (
        scripted(lambda _: said(NOW)) as server,
        closing(PrometheusClient(f"{server.url}/tenant/")) as client,
    ):
        client.now_us()
    assert server.asked[0][0].startswith("/tenant/api/v1/query?")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (said({"error": "parse error\n at 1:4"}, 400), "status 400: parse error at 1:4"),
        (said({"message": "no"}, 401), "status 401: Unauthorized"),
        (Reply(b"<html>" + b"x" * 10_000, 404), "status 404: Not Found"),
        (said({"status": "error", "error": "e" * 5_000}, 500), f"status 500: {'e' * 200}..."),
        (Reply(b"[" * 100_000, 502), "status 502: Bad Gateway"),
        (Reply(b"", 204), "status 204: No Content"),
        (Reply(b"<html>hello"), "no JSON; accepted: an answer of Prometheus' HTTP API"),
        (Reply(b"[" * 100_000), "no JSON; accepted: an answer of Prometheus' HTTP API"),
        (Reply(b"\xff\xfe"), "no JSON; accepted: an answer of Prometheus' HTTP API"),
        (said(["data"]), "JSON without data.result; accepted: that of Prometheus' HTTP API"),
        (said({"data": None}), "JSON without data.result; accepted: that of Prometheus' HTTP API"),
        (said({"data": {"result": 5}}), "the answer to time() is no pair; accepted: that of"),
        (said({"data": {"result": [[], "1"]}}), "timestamp is '[]'; accepted: seconds"),
        (said({**NOW, "warnings": ["store b is down"]}), "may be incomplete: store b is down"),
        (Reply(hang_up=True), "RemoteDisconnected: Remote end closed connection without response"),
        (Reply(b"{", claimed=100), "IncompleteRead: "),
        (Reply(b"no gzip", headers={"content-encoding": "gzip"}), "error: Error -3 while decomp"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_told_in_a_line(reply: Reply, words: str) -> None:
    assert complaint(reply).startswith(words)


def test_a_server_that_is_down_is_told_without_its_query() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with closing(PrometheusClient(f"http://127.0.0.1:{port}")) as client:
        assert failure(client) == "Connection refused"
    with closing(PrometheusClient("http://nowhere.invalid")) as client:
        assert "nowhere.invalid" not in failure(client)


def test_what_cannot_even_be_asked_is_told_like_a_server_that_is_down(tmp_path: Path) -> None:
    with closing(PrometheusClient("http://a..b:9090")) as client:
        assert failure(client) == "UnicodeError: label empty or too long"
    nothing = str(tmp_path / "nothing.pem")
    with closing(PrometheusClient("https://localhost:1", verify=nothing)) as client:
        assert nothing in failure(client)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with closing(PrometheusClient(url, timeout_s=0.1)) as client:
            assert failure(client) == "no answer within 0.1 s"


def test_a_server_that_drips_is_given_up_in_time() -> None:
    begun = time.monotonic()
    assert complaint(Reply(b"{" * 1000, drip_s=0.02), timeout_s=0.2) == "no answer within 0.2 s"
    # It would have taken 20 seconds.
    assert time.monotonic() - begun < 10


def test_an_answer_too_large_for_memory_is_not_read_to_its_end() -> None:
    with asking(Reply(b" " * 10**6), limit_bytes=10**5) as (client, _):
        assert failure(client, TooMuchError) == "more than 100000 bytes"


@pytest.mark.parametrize("status", [413, 422, 503, 504])
def test_a_query_that_asks_for_too_much_can_be_told_from_others(status: int) -> None:
    with asking(said({"error": "too many samples"}, status)) as (client, _):
        assert failure(client, TooMuchError) == f"status {status}: too many samples"


def test_nothing_is_tried_twice_here() -> None:
    with asking(said({}, 503)) as (client, server):
        failure(client)
    assert len(server.asked) == 1


def test_a_token_is_shown_read_anew_each_time_and_never_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    caplog.set_level(logging.DEBUG)
    with asking(said({}, 403), token_file=path) as (client, server):
        for token in (SECRET, "another"):
            path.write_text(token)
            assert failure(client) == "status 403: Forbidden"
            assert server.asked[-1][1]["Authorization"] == f"Bearer {token}"
    assert SECRET not in caplog.text


def test_a_token_does_not_follow_to_another_host(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(SECRET)
    with scripted(lambda _: said(NOW)) as other:
        elsewhere = other.url.replace("localhost", "127.0.0.1")
        with asking(
            lambda path: Reply(status=307, headers={"location": elsewhere + path}), token_file=path
        ) as (client, _):
            client.now_us()
    assert [SECRET in str(headers) for _, headers in other.asked] == [False]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file or directory"),
        (b"", "accepted: one token of at most"),
        (b"two tokens", "accepted: one token of at most"),
        (b"x" * 20_000, "accepted: one token of at most"),
        (b"one\ntwo", "accepted: one token of at most"),
        ("é".encode(), "not ASCII; accepted: one token"),
    ],
)
def test_a_file_without_a_token_is_told_and_nothing_of_it(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with asking(said(NOW), token_file=path) as (client, server):
        assert failure(client).startswith(f"token_file is {path}: {words}")
    assert server.asked == []


def test_a_token_file_that_all_can_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "token"
    path.write_text(SECRET)
    path.chmod(0o600)
    BearerToken(path)
    assert caplog.text == ""
    path.chmod(0o644)
    BearerToken(path)
    BearerToken(tmp_path / "nothing")
    assert "every user can read or change it" in caplog.text
    assert SECRET not in caplog.text


def test_certificates_are_checked_unless_that_is_switched_off(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", key, "-out", certificate,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with scripted(lambda _: said(NOW), tls) as server:
        with closing(PrometheusClient(server.url)) as client:
            assert "certificate verify failed" in failure(client)
        for verify in (str(certificate), False):
            with closing(PrometheusClient(server.url, verify=verify)) as client:
                assert client.now_us() == 1731234567781000
