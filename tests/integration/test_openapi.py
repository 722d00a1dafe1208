"""schemathesis against a real node: whatever the OpenAPI document allows or forbids, the node
answers as the document says, and never with a defect of its own."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from PIL import Image
from schemathesis.checks import CHECKS
from schemathesis.transport import SerializationContext
from schemathesis.transport.serialization import Binary

from inference_node.protocol.openapi import openapi_document
from tests.integration.node_process import Node, running_node
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import SCORES, save

EXAMPLES = 25
CONFIG = """
[serving]
default_model = "scores"
"""
# Most requests go to a model that is there: behind 404 there is little to see.
SCHEMA = schemathesis.openapi.from_dict(
    openapi_document(),
    config=schemathesis.Config.from_dict(
        {
            "parameters": {"path.model": "doubling", "path.version": "1"},
            "operations": [
                {
                    "include-path-regex": "^/v2/repository/models",
                    "parameters": {"path.model": "spare"},
                }
            ],
        }
    ),
)

# Which tensors a model takes, what an image is, which memory there is, no schema can say; and to a
# schema 2.0 is an integer.
HARD_TO_PLEASE = ("/infer", "/jobs", "/predict", "/register", "/setting", "/logging")


@schemathesis.serializer("application/x-ndjson", "image/png", "image/jpeg")
def as_it_is(context: SerializationContext, value: Any) -> bytes:
    if isinstance(value, Binary):
        return value.data
    if isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("repository")
    save(folder, "doubling", onnx_models.doubling())
    save(folder, "scores", onnx_models.image_scores(), more=SCORES)
    save(folder, "spare", onnx_models.doubling())
    with running_node(tmp_path_factory.mktemp("node"), folder, CONFIG) as node:
        yield node
        assert node.process.poll() is None
        assert node.ask("GET", "/v2/health/ready").status == 200


def test_the_node_shows_the_document(node: Node) -> None:
    answer = node.ask("GET", "/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == json.loads(json.dumps(openapi_document()))


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_answer_is_one_that_the_document_allows(case: Any, node: Node) -> None:
    excluded = []
    if case.path.endswith(HARD_TO_PLEASE):
        excluded = CHECKS.get_by_names(["positive_data_acceptance"])
    case.call_and_validate(base_url=node.url, excluded_checks=excluded)


def png() -> bytes:
    file = io.BytesIO()
    Image.new("L", (2, 2)).save(file, "PNG")
    return file.getvalue()


TENSOR = {"name": "x", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}
BINARY = {"inputs": [TENSOR], "parameters": {"binary_data_output": True}}


@pytest.mark.parametrize(
    ("path", "media_type", "body"),
    [
        ("/v2/models/{model}/infer", "application/json", {"inputs": [TENSOR], "id": "r"}),
        ("/v2/models/{model}/infer", "application/json", BINARY),
        ("/v2/models/{model}/jobs", "application/x-ndjson", {"inputs": [TENSOR]}),
        ("/predict", "image/png", png()),
        ("/v2/repository/index", "application/json", {"ready": True}),
        ("/v2/models/{model}/trace/setting", "application/json", {"trace_rate": 2}),
        ("/v2/trace/setting", "application/json", {"trace_level": ["OFF"], "trace_rate": None}),
        ("/v2/logging", "application/json", {"log_verbose_level": 2, "log_info": True}),
    ],
    ids=["json", "binary", "jobs", "predict", "index", "model_trace", "trace", "log"],
)
def test_a_fitting_request_is_answered_as_the_document_says(
    node: Node, path: str, media_type: str, body: Any
) -> None:
    case = SCHEMA[path]["POST"].Case(
        path_parameters={"model": "doubling"} if "{model}" in path else {},
        body=body,
        media_type=media_type,
    )
    assert case.call_and_validate(base_url=node.url).status_code == 200
