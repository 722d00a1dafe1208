"""Whatever a client sends, it gets a clear answer, a record is left, and the node lives on."""

import io
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from PIL import Image

from tests.integration.node_process import Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import SCORES, save

LIMIT = 200_000
CONFIG = f"""
[serving]
default_model = "scores"
max_body_bytes = {LIMIT}
max_image_pixels = 1000000
"""
WHO = {"x-tenant": "shop", "x-labels": "team=search"}
GOOD = {"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    repository = tmp_path_factory.mktemp("repository")
    save(repository, "doubling", onnx_models.doubling())
    save(repository, "scores", onnx_models.image_scores(), more=SCORES)
    save(repository, "fragile", onnx_models.fragile())
    save(repository, "losing", onnx_models.losing_rows())
    with running_node(tmp_path_factory.mktemp("node"), repository, CONFIG) as node:
        yield node


@pytest.fixture(autouse=True)
def node_lives_on(node: Node) -> Iterator[None]:
    yield
    answer = node.infer("doubling", x=("FP32", [1, 3], [1, 2, 3]))
    assert answer.json["outputs"][0]["data"] == [2.0, 4.0, 6.0]
    assert node.ask("GET", "/v2/health/ready").status == 200


def infer_body(**changes: object) -> bytes:
    return json.dumps({"inputs": [{**GOOD, **changes}]}).encode()


def image_bytes(kind: str, size: tuple[int, int] = (2, 2)) -> bytes:
    file = io.BytesIO()
    Image.new("L", size, 128).save(file, kind)
    return file.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


@dataclass(frozen=True)
class Bad:
    """A request that is refused, and what is said of it."""

    path: str
    body: bytes
    status: int
    code: str
    message: str
    model: str | None
    version: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


DOUBLING = "/v2/models/doubling/infer"


def invalid(body: bytes, message: str, **headers: str) -> Bad:
    """An infer request to a model that is there."""
    pairs = {name.replace("_", "-"): value for name, value in headers.items()}
    return Bad(DOUBLING, body, 400, "invalid_request", message, "doubling", "1", pairs)


def no_image(body: bytes, message: str) -> Bad:
    return Bad("/predict", body, 400, "invalid_image", message, "scores", "1")


def too_large(body: bytes, message: str) -> Bad:
    return Bad("/predict", body, 413, "image_too_large", message, "scores", "1")


def unknown(path: str, message: str, model: str | None, version: str | None = None) -> Bad:
    return Bad(path, infer_body(), 404, "unknown_model", message, model, version)


BAD = {
    "unknown model": unknown("/v2/models/nope/infer", "unknown model 'nope'", "nope"),
    "unknown version": unknown(
        "/v2/models/doubling/versions/7/infer",
        "unknown version '7' of model 'doubling'; this node holds: 1",
        "doubling",
        "7",
    ),
    "no model in the path": unknown("/v2/models//infer", "unknown model ''", None),
    "unknown model for an image": unknown("/predict?model=nope", "unknown model 'nope'", "nope"),
    "model that takes no images": Bad(
        "/predict?model=doubling",
        image_bytes("PNG"),
        400,
        "invalid_request",
        "model 'doubling' does not classify images",
        "doubling",
        "1",
    ),
    "wrong tensor name": invalid(infer_body(name="z"), "unknown input 'z'; accepted: x"),
    "wrong shape": invalid(infer_body(shape=[1, 4]), "has shape [1, 4]; accepted: [-1, 3]"),
    "wrong rank": invalid(infer_body(shape=[3]), "has shape [3]; accepted: [-1, 3]"),
    "negative size": invalid(infer_body(shape=[-1, 3]), "has shape [-1, 3]"),
    "empty batch": invalid(infer_body(shape=[0, 3], data=[]), "has shape [0, 3]"),
    "huge empty batch": invalid(infer_body(shape=[10**30, 0], data=[]), "has shape"),
    "wrong datatype": invalid(infer_body(datatype="INT64"), "has datatype 'INT64'; accepted: FP32"),
    "text for a number": invalid(infer_body(data=["a", 2, 3]), "Expected `float`, got `str`"),
    "truth for a number": invalid(infer_body(data=[True, 2, 3]), "Expected `float`, got `bool`"),
    "too few values": invalid(infer_body(data=[1]), "holds 1 values"),
    "number beyond the datatype": invalid(infer_body(data=[1e300, 2, 3]), "outside FP32"),
    "too many items": invalid(
        infer_body(shape=[9, 3], data=[1] * 27), "holds 9 items; accepted: at most 8"
    ),
    "one long text among many": invalid(
        infer_body(data=["x" * 100_000] + [""] * 20_000), "Expected `float`, got `str`"
    ),
    "unknown output": invalid(
        infer_body()[:-1] + b', "outputs": [{"name": "z"}]}', "unknown output 'z'; accepted: y"
    ),
    "broken JSON": invalid(b'{"inputs": [', "no infer request"),
    "deeply nested JSON": invalid(b"[" * 190_000, "no infer request"),
    "deeply nested data": invalid(
        b'{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":' + b"[" * 190_000,
        "no infer request",
    ),
    "invalid UTF-8": invalid(b'{"id": "\xff", "inputs": []}', "utf-8"),
    "no body": invalid(b"", "no infer request"),
    "an image instead of JSON": invalid(image_bytes("PNG"), "no infer request"),
    "unknown priority": invalid(infer_body(), "x-priority is 'now'", x_priority="now"),
    "unknown origin": invalid(infer_body(), "x-origin is 'moon'", x_origin="moon"),
    "JSON instead of an image": no_image(infer_body(), "no PNG or JPEG"),
    "no image": no_image(b"", "no PNG or JPEG"),
    "a GIF": no_image(image_bytes("GIF"), "no PNG or JPEG"),
    "half a JPEG": no_image(image_bytes("JPEG", (64, 64))[:-40], "cannot be decoded"),
    "image bomb": too_large(png_that_claims(50_000, 50_000), "too large"),
    "image of too many pixels": too_large(
        image_bytes("PNG", (1001, 1000)), "1001 x 1000 pixels; accepted: at most 1000000"
    ),
    "large file of too many pixels": too_large(
        png_that_claims(9_000, 9_000) + b"\0" * 100_000, "9000 x 9000 pixels"
    ),
    "index out of range while executing": Bad(
        "/v2/models/fragile/infer",
        b'{"inputs": [{"name": "x", "datatype": "INT64", "shape": [1], "data": [7]}]}',
        500,
        "execution_failed",
        "the model failed",
        "fragile",
        "1",
    ),
    "a model that loses rows": Bad(
        "/v2/models/losing/infer",
        infer_body(shape=[3, 2], data=[1, 2, 3, 4, 5, 6]),
        500,
        "execution_failed",
        "output 'y' has shape [1, 2] for a batch of 3",
        "losing",
        "1",
    ),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_gets_a_clear_answer_and_leaves_a_record(node: Node, name: str) -> None:
    bad = BAD[name]

    answer = node.ask("POST", bad.path, bad.body, {**WHO, **bad.headers})

    assert answer.status == bad.status
    assert bad.message in answer.error
    assert "Traceback" not in answer.error
    record = node.record(answer.record_id)
    assert (record.status, record.error) == (bad.status, bad.code)
    assert (record.model, record.model_version) == (bad.model, bad.version)
    assert (record.tenant, record.labels) == ("shop", {"team": "search"})
    assert record.request_bytes == len(bad.body)
    assert record.response_bytes == len(answer.body)
    executed = bad.code == "execution_failed"
    assert (record.batch_size > 0) == (record.compute_us > 0) == executed


def test_an_image_bomb_costs_no_memory(node: Node) -> None:
    for side in (9_000, 50_000):
        before = node.memory_bytes()
        for _ in range(5):
            assert node.ask("POST", "/predict", png_that_claims(side, side)).status == 413
        assert node.memory_bytes() - before < 20_000_000


def test_a_body_declared_too_large_is_refused_before_it_is_sent(node: Node) -> None:
    with node.connect() as connection:
        head = (
            f"POST {DOUBLING} HTTP/1.1\r\nhost: x\r\nx-tenant: shop\r\ncontent-length: {LIMIT + 1}"
        )
        connection.sendall(head.encode() + b"\r\n\r\n")
        answer = node.answer(connection)
    assert answer.status == 413
    assert answer.error == f"the body has {LIMIT + 1} bytes; accepted: at most {LIMIT}"
    record = node.record(answer.record_id)
    assert (record.error, record.request_bytes, record.tenant) == ("body_too_large", 0, "shop")
    assert (record.model, record.model_version) == ("doubling", "1")


def test_a_client_that_closes_after_one_answer_may_send_all_of_a_body_that_is_too_large(
    node: Node,
) -> None:
    size = 20 * 2**20
    head = f"POST {DOUBLING} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {size}"
    before = node.memory_bytes()
    with node.connect() as connection:
        connection.sendall(head.encode() + b"\r\n\r\n")
        for _ in range(size // 2**16):
            connection.sendall(b" " * 2**16)
        answer = node.answer(connection)
    assert answer.status == 413
    assert answer.error == f"the body has {size} bytes; accepted: at most {LIMIT}"
    assert node.record(answer.record_id).request_bytes <= size
    assert node.memory_bytes() - before < 10_000_000


def test_a_body_of_exactly_the_limit_is_accepted(node: Node) -> None:
    body = infer_body().ljust(LIMIT)
    answer = node.ask("POST", DOUBLING, body)
    assert answer.status == 200
    assert node.record(answer.record_id).request_bytes == LIMIT


def test_a_body_that_grows_too_large_in_chunks_is_refused_and_costs_no_memory(node: Node) -> None:
    before = node.memory_bytes()
    with node.connect() as connection:
        head = f"POST {DOUBLING} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(4):
            connection.sendall(chunk)
        answer = node.answer(connection)
        assert answer.status == 413
        assert f"more than {LIMIT} bytes" in answer.error
        # A client that does not listen may go on; what it sends is thrown away.
        for _ in range(500):
            connection.sendall(chunk)
        assert node.memory_bytes() - before < 20_000_000
    record = node.record(answer.record_id)
    assert record.error == "body_too_large"
    assert LIMIT < record.request_bytes <= LIMIT + 400_000


def test_a_chunked_body_within_the_limit_is_as_good_as_any(node: Node) -> None:
    body = infer_body()
    answer = node.ask("POST", DOUBLING, iter([body[:20], body[20:]]))
    assert answer.json["outputs"][0]["data"] == [2.0, 4.0, 6.0]
    assert node.record(answer.record_id).request_bytes == len(body)


def test_a_client_that_leaves_halfway_through_its_body_leaves_a_record(node: Node) -> None:
    known = {record.record_id for record in node.records()}
    with node.connect() as connection:
        head = (
            f"POST {DOUBLING} HTTP/1.1\r\nhost: x\r\nx-tenant: gone\r\ncontent-length: 1000\r\n\r\n"
        )
        connection.sendall(head.encode() + b'{"inputs": [')
    record = until(
        lambda: next(
            (r for r in node.records() if r.record_id not in known and r.tenant == "gone"), None
        )
    )
    assert (record.status, record.error, record.model) == (499, "client_gone", "doubling")
    assert record.request_bytes == len(b'{"inputs": [')


def test_a_client_that_leaves_before_its_answer_is_on_record_like_any_other(node: Node) -> None:
    body = infer_body()
    head = f"POST {DOUBLING} HTTP/1.1\r\nhost: x\r\nx-tenant: hasty\r\ncontent-length: {len(body)}"
    with node.connect() as connection:
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
    record = until(lambda: next((r for r in node.records() if r.tenant == "hasty"), None))
    assert record.status in (200, 499)


def test_a_slow_client_holds_up_nobody_and_its_time_is_not_the_nodes(node: Node) -> None:
    body = infer_body()
    head = f"POST {DOUBLING} HTTP/1.1\r\nhost: x\r\nx-tenant: slow\r\ncontent-length: {len(body)}"
    with node.connect() as connection:
        connection.sendall(head.encode() + b"\r\n\r\n")
        for byte in body[:-1]:
            connection.sendall(bytes([byte]))
            if byte == ord("["):
                assert node.infer("doubling", x=("FP32", [1, 3], [1, 2, 3])).status == 200
        others = node.records()[-1]
        connection.sendall(body[-1:])
        answer = node.answer(connection)
    assert answer.status == 200
    record = node.record(answer.record_id)
    assert record.arrived_at_us > others.arrived_at_us + others.total_us


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 1000,
        b"GET /v2 HTTP/9.9\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nbroken header\r\n\r\n",
    ],
    ids=["text", "TLS", "zeros", "version", "length", "long length", "path", "header"],
)
def test_what_is_no_http_gets_an_error_as_json_and_the_connection_is_closed(
    node: Node, garbage: bytes
) -> None:
    with node.connect() as connection:
        connection.sendall(garbage)
        answer = node.answer(connection)
        assert answer.status == 400
        assert answer.error
        assert connection.recv(1) == b""


@pytest.mark.parametrize(
    ("head", "endless"),
    [
        (b"GET /", b"a" * 1000),
        (b"GET / HTTP/1.1\r\nname: ", b"v" * 1000),
        (b"GET / HTTP/1.1\r\n", b"name: value\r\n" * 100),
        (
            b"POST /predict HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;",
            b"extension" * 100,
        ),
    ],
    ids=["path", "header", "headers", "chunk extension"],
)
def test_a_head_without_end_is_refused(node: Node, head: bytes, endless: bytes) -> None:
    before = node.memory_bytes()
    sent = 0
    with node.connect() as connection:
        try:
            connection.sendall(head)
            while sent < 50_000_000:
                connection.sendall(endless)
                sent += len(endless)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the node has closed the connection
    assert sent < 50_000_000
    assert node.memory_bytes() - before < 20_000_000


def test_an_upgrade_to_another_protocol_is_not_taken_up(node: Node) -> None:
    with node.connect() as connection:
        connection.sendall(
            b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\n"
            b"upgrade: websocket\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert node.answer(connection).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/predict"), ("GET", DOUBLING), ("POST", "/v2"), ("PUT", "/metrics")],
)
def test_another_method_than_the_paths_is_refused(node: Node, method: str, path: str) -> None:
    answer = node.ask(method, path)
    assert answer.status == 405
    assert f"not {method}" in answer.error


def test_many_bad_requests_at_once_are_each_answered_and_recorded(node: Node) -> None:
    known = len(node.records())
    connections = [node.connect() for _ in range(50)]
    for connection in connections:
        connection.sendall(
            b"POST /v2/models/doubling/infer HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n{"
        )
    for connection in connections:
        with connection:
            assert node.answer(connection).status == 400
    until(lambda: len(node.records()) >= known + 50)
