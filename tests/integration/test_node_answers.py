"""What a running node answers: health, metadata, inference by tensors and by images."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from PIL import Image

from tests.integration.node_process import ROOT, Node, running_node
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import SCORES, save

DIGITS = np.load(ROOT / "data" / "samples" / "digits.npz")
CONFIG = """
node_id = "answers"
[serving]
default_model = "digits"
[models.doubling]
default_version = "2"
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "doubling", onnx_models.doubling(), version="2")
    save(folder, "doubling", onnx_models.doubling(), version="10", variant="other")
    save(folder, "sums", onnx_models.sum_and_product())
    save(folder, "scores", onnx_models.image_scores(), more=SCORES)
    for datatype in onnx_models.ELEMENT_TYPES:
        save(folder, f"echo-{datatype}", onnx_models.echo(datatype))
    (folder / "digits").symlink_to(ROOT / "data" / "models" / "digits")
    return folder


@pytest.fixture(scope="module")
def node(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with running_node(tmp_path_factory.mktemp("node"), repository, CONFIG) as node:
        yield node


def digit_png(number: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(DIGITS["images"][number]).save(file, "PNG")
    return file.getvalue()


def test_it_is_live_and_ready_as_soon_as_it_says_that_it_serves(node: Node) -> None:
    for path in (
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/digits/ready",
        "/v2/models/doubling/versions/2/ready",
    ):
        answer = node.ask("GET", path)
        assert (answer.status, answer.body) == (200, b"")


def test_the_server_describes_itself(node: Node) -> None:
    answer = node.ask("GET", "/v2").json
    assert set(answer) == {"name", "version", "extensions"}
    assert answer["name"] == "inference_node"


def test_a_model_describes_itself(node: Node) -> None:
    tensor = {"datatype": "FP32", "shape": [-1, 3]}
    described = {
        "name": "doubling",
        "versions": ["10", "2"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", **tensor}],
        "outputs": [{"name": "y", **tensor}],
    }
    for path in ("/v2/models/doubling", "/v2/models/doubling/versions/10"):
        assert node.ask("GET", path).json == described


@pytest.mark.parametrize(
    "path", ["/v2/models/x", "/v2/models/doubling/versions/1", "/v2/models/x/ready", "/", "/v3"]
)
def test_what_is_not_there_is_not_found(node: Node, path: str) -> None:
    answer = node.ask("GET", path)
    assert answer.status == 404
    assert answer.error


def test_an_answer_equals_what_onnx_runtime_computes_directly(node: Node) -> None:
    images = DIGITS["images"][:5].astype(np.float32)[:, None] / np.float32(255)
    session = ort.InferenceSession(
        ROOT / "data" / "models" / "digits" / "1" / "model.onnx",
        providers=["CPUExecutionProvider"],
    )
    [direct] = session.run(["probabilities"], {"image": images})
    for data in (images.tolist(), images.ravel().tolist()):
        answer = node.infer("digits/versions/1", image=("FP32", [5, 1, 32, 32], data))
        assert answer.status == 200
        [output] = answer.json["outputs"]
        assert (output["name"], output["shape"]) == ("probabilities", [5, 10])
        served = np.array(output["data"], np.float32).reshape(5, 10)
        np.testing.assert_allclose(served, direct, rtol=1e-5, atol=1e-7)
    record = node.record(answer.record_id)
    assert (record.items, record.batch_size, record.status) == (5, 5, 200)


VALUES: dict[str, list[Any]] = {
    "BOOL": [True, False],
    "UINT64": [0, 2**64 - 1],
    "INT64": [-(2**63), 2**63 - 1],
    "INT8": [-128, 127],
    "FP16": [-65504.0, 0.5],
    "FP64": [1.7976931348623157e308, 5e-324],
    "BYTES": ["naïve", "a\u0000b"],
}


@pytest.mark.parametrize("datatype", list(onnx_models.ELEMENT_TYPES))
def test_every_datatype_comes_back_from_the_model_as_it_was_sent(node: Node, datatype: str) -> None:
    values = VALUES.get(datatype, [1, 200])
    answer = node.infer(f"echo-{datatype}", x=(datatype, [1, 2], values))
    assert answer.status == 200, answer.body
    assert answer.json["outputs"] == [
        {"name": "y", "shape": [1, 2], "datatype": datatype, "data": values}
    ]


def test_inputs_are_told_apart_by_name_and_outputs_come_as_asked_for(node: Node) -> None:
    body = {
        "id": "request-7",
        "inputs": [
            {"name": "b", "datatype": "INT64", "shape": [2], "data": [5, 7]},
            {"name": "a", "datatype": "INT64", "shape": [2], "data": [2, 3]},
        ],
        "outputs": [{"name": "product"}],
    }
    answer = node.ask("POST", "/v2/models/sums/infer", json.dumps(body).encode())
    assert answer.json == {
        "model_name": "sums",
        "model_version": "1",
        "id": "request-7",
        "outputs": [{"name": "product", "shape": [2], "datatype": "INT64", "data": [10, 21]}],
    }


@pytest.mark.parametrize(
    ("path", "version", "variant"),
    [("doubling", "2", "fp32"), ("doubling/versions/10", "10", "other")],
)
def test_a_request_goes_to_the_version_it_names_or_to_the_configured_one(
    node: Node, path: str, version: str, variant: str
) -> None:
    answer = node.infer(path, x=("FP32", [1, 3], [1, 2, 3]))
    assert answer.json["model_version"] == version
    assert answer.json["outputs"][0]["data"] == [2.0, 4.0, 6.0]
    record = node.record(answer.record_id)
    assert (record.model, record.model_version, record.variant) == ("doubling", version, variant)


def test_real_digits_are_recognised(node: Node) -> None:
    right = 0
    for number in range(30):
        answer = node.ask("POST", "/predict", digit_png(number), {"content-type": "image/png"})
        assert answer.status == 200
        content = answer.json
        assert set(content["probabilities"]) == set("0123456789")
        assert sum(content["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        assert content["class"] == max(content["probabilities"], key=content["probabilities"].get)
        right += content["class"] == str(DIGITS["labels"][number])
    assert right >= 28


def test_an_answer_to_an_image_says_how_long_it_took_and_so_does_its_record(node: Node) -> None:
    answer = node.ask("POST", "/predict?model=digits&version=2", digit_png(0))
    content = answer.json
    assert (content["model_name"], content["model_version"]) == ("digits", "2")
    record = node.record(answer.record_id)
    assert content["record_id"] == answer.record_id
    timing = content["timing"]
    assert timing["queue_us"] == record.queue_us
    assert timing["compute_us"] == record.compute_us > 0
    assert timing["batch_size"] == record.batch_size == 1
    assert record.queue_us + record.compute_us <= timing["total_us"] <= record.total_us
    assert record.response_bytes == len(answer.body)
    assert record.request_bytes == len(digit_png(0))


def test_a_jpeg_in_colour_is_as_welcome_as_a_png(node: Node) -> None:
    file = io.BytesIO()
    Image.fromarray(DIGITS["images"][3]).convert("RGB").save(file, "JPEG", quality=95)
    answer = node.ask("POST", "/predict", file.getvalue())
    assert answer.json["class"] == str(DIGITS["labels"][3])


def test_the_same_input_has_the_same_digest_and_another_one_another(node: Node) -> None:
    records = [
        node.record(node.infer("doubling", x=("FP32", [1, 3], data)).record_id)
        for data in ([1, 2, 3], [1, 2, 3], [1, 2, 4])
    ]
    assert records[0].input_digest == records[1].input_digest != records[2].input_digest


def test_who_asked_is_on_the_record(node: Node) -> None:
    headers = {
        "x-tenant": "shop",
        "x-priority": "batch",
        "x-labels": "team=search,project=ranking",
        "x-origin": "replay",
        "x-client-region": "eu",
        "x-request-id": "abc",
    }
    answer = node.infer("doubling", headers, x=("FP32", [2, 3], [1, 2, 3, 4, 5, 6]))
    assert answer.headers["x-request-id"] == "abc"
    record = node.record(answer.record_id)
    assert (record.tenant, record.priority, record.origin) == ("shop", "batch", "replay")
    assert record.labels == {"team": "search", "project": "ranking"}
    assert record.client_region == "eu"
    assert (record.node_id, record.pool, record.worker, record.cache) == (
        "answers", "cpu", 0, "bypass",
    )  # fmt: skip
    assert record.items == 2
    assert record.error is None


def test_one_connection_carries_many_requests(node: Node) -> None:
    # Together their heads are longer than any one may be.
    with node.connect() as connection:
        for _ in range(100):
            connection.sendall(b"GET /v2 HTTP/1.1\r\nhost: x\r\nfill: %b\r\n\r\n" % (b"x" * 1000))
            assert node.answer(connection).status == 200
