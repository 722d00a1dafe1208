"""The OpenAPI 3.1 document of the whole node, for `/openapi.json`."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, get_args

import msgspec

from inference_node.protocol.log_settings import LogSettings, LogUpdate
from inference_node.protocol.metadata import ModelMetadata, ServerMetadata
from inference_node.protocol.repository import ControlRequest, IndexEntry, IndexRequest
from inference_node.protocol.request import InferHeader
from inference_node.protocol.shared_memory import (
    CudaRegion,
    CudaRegistration,
    SystemRegion,
    SystemRegistration,
)
from inference_node.protocol.statistics import StatisticsResponse
from inference_node.protocol.trace import TraceSettings, TraceUpdate
from usage import Priority

Json = dict[str, Any]

JSON = "application/json"
BINARY = "application/octet-stream"
NDJSON = "application/x-ndjson"
METRICS = "text/plain"

REASONS: Mapping[int, str] = {
    400: "The request does not fit the protocol or the model.",
    401: "No token, or one that the node does not know.",
    403: "The token does not allow it.",
    404: "No such path, model or version.",
    405: "The path takes another method, which header Allow names.",
    408: "The request took too long to arrive.",
    413: "The body, or the image, is larger than the node accepts.",
    415: "The body is encoded in a way that the node does not read.",
    431: "The head of the request is too large.",
    500: "The model failed, or the node has a defect.",
    503: "Queue full, waited too long, model not loaded, or the node stops: try again later.",
}
EVERYWHERE = (400, 401, 404, 405, 408, 413, 415, 431, 500, 503)

STRUCTS = (
    InferHeader,
    ServerMetadata,
    ModelMetadata,
    StatisticsResponse,
    IndexRequest,
    IndexEntry,
    ControlRequest,
    TraceSettings,
    TraceUpdate,
    LogSettings,
    LogUpdate,
    SystemRegion,
    SystemRegistration,
    CudaRegion,
    CudaRegistration,
)


def openapi_document() -> Json:
    """Return the document, ready to be encoded as JSON."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "inference_node",
            "version": version("inference-cost"),
            "description": "Serves ONNX models by the Open Inference Protocol, version 2, with "
            'Triton\'s extensions named in `/v2`. Every answer but 2xx is `{"error": string}`.',
        },
        "paths": _node_paths()
        | _model_paths()
        | _repository_paths()
        | _settings_paths()
        | _memory_paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        # A node without tokens serves anybody.
        "security": [{"bearer": []}, {}],
    }


def _node_paths() -> Json:
    return {
        "/v2": {"get": _operation("server_metadata", "What the node is.", "ServerMetadata")},
        "/v2/health/live": {"get": _health("live", "Whether the node runs.")},
        "/v2/health/ready": {"get": _health("ready", "Whether the node can be asked.")},
        "/v2/models/stats": {
            "get": _operation("statistics", "Counts and times of all models.", "StatisticsResponse")
        },
        "/metrics": {
            "get": _answering(
                "metrics",
                "The node's metrics in the Prometheus text format.",
                {METRICS: {"schema": {"type": "string"}}},
            )
        },
        "/openapi.json": {
            "get": _answering("openapi", "This document.", {JSON: {"schema": {"type": "object"}}})
        },
        "/predict": {
            "post": _operation(
                "predict",
                "The class of one image.",
                "Prediction",
                parameters=[
                    _query("model", "The node's default model, if there is none."),
                    _query("version", "The model's default version, if there is none."),
                    *CALLER,
                    CONTENT_ENCODING,
                ],
                content={"image/png": {}, "image/jpeg": {}},
                body_required=True,
                errors=(403,),
            )
        },
    }


def _model_paths() -> Json:
    paths: Json = {}
    for prefix, named, suffix in (
        ("/v2/models/{model}", [MODEL], ""),
        ("/v2/models/{model}/versions/{version}", [MODEL, VERSION], "_of_version"),
    ):
        described = {
            "": ("model_metadata", "Inputs, outputs and versions of a model.", "ModelMetadata"),
            "/config": ("model_config", "How the node serves a model.", "ModelConfig"),
            "/stats": ("model_statistics", "Counts and times of a model.", "StatisticsResponse"),
        }
        for path, (name, summary, schema) in described.items():
            operation = _operation(name + suffix, summary, schema, parameters=named)
            paths[prefix + path] = {"get": operation}
        paths[f"{prefix}/ready"] = {
            "get": _health("model_ready" + suffix, "Whether a model can be asked.", named)
        }
        paths[f"{prefix}/infer"] = {"post": _infer("infer" + suffix, named)}
        paths[f"{prefix}/jobs"] = {"post": _jobs("jobs" + suffix, named)}
    return paths


def _repository_paths() -> Json:
    index = {"schema": {"type": "array", "items": _reference("IndexEntry")}}
    paths: Json = {
        "/v2/repository/index": {
            "post": _answering(
                "repository_index",
                "All versions of all models, and whether they are loaded.",
                {JSON: index},
                content={JSON: {"schema": _reference("IndexRequest")}},
            )
        }
    }
    for action in ("load", "unload"):
        paths[f"/v2/repository/models/{{model}}/{action}"] = {
            "post": _answering(
                f"{action}_model",
                f"{action.title()} all versions of a model. Needs a token for administrators.",
                {},
                parameters=[MODEL],
                content={JSON: {"schema": _reference("ControlRequest")}},
                errors=(403,),
            )
        }
    return paths


def _settings_paths() -> Json:
    return {
        "/v2/trace/setting": _settings("trace", "Which requests are traced in the log.", "Trace"),
        "/v2/models/{model}/trace/setting": _settings(
            "model_trace", "Which requests to a model are traced in the log.", "Trace", [MODEL]
        ),
        "/v2/logging": _settings("log", "What of the log is written.", "Log"),
    }


def _settings(name: str, summary: str, what: str, parameters: Sequence[Json] = ()) -> Json:
    return {
        "get": _operation(name, summary, f"{what}Settings", parameters=parameters, errors=(403,)),
        "post": _operation(
            f"update_{name}",
            "Change settings until the node stops. Needs a token for administrators.",
            f"{what}Settings",
            parameters=parameters,
            content={JSON: {"schema": _reference(f"{what}Update")}},
            errors=(403,),
        ),
    }


def _memory_paths() -> Json:
    paths: Json = {}
    for kind, title in (("system", "System"), ("cuda", "Cuda")):
        name = f"{kind}_shared_memory"
        regions = {"schema": {"type": "array", "items": _reference(f"{title}Region")}}
        for part, suffix, named in (
            ("", "", []),
            ("/region/{region}", "_region", [REGION]),
        ):
            path = f"/v2/{kind}sharedmemory{part}"
            paths[f"{path}/status"] = {
                "get": _answering(
                    f"{name}{suffix}_status",
                    "Which regions are registered.",
                    {JSON: regions},
                    parameters=named,
                    errors=(403,),
                )
            }
            paths[f"{path}/unregister"] = {
                "post": _answering(
                    f"unregister_{name}{suffix}",
                    "Forget regions. Needs a token for administrators.",
                    {},
                    parameters=named,
                    errors=(403,),
                )
            }
        paths[f"/v2/{kind}sharedmemory/region/{{region}}/register"] = {
            "post": _answering(
                f"register_{name}",
                "Let tensors lie in shared memory. Needs a token for administrators."
                if kind == "system"
                else "Refused: the node has no CUDA shared memory.",
                {},
                parameters=[REGION],
                content={JSON: {"schema": _reference(f"{title}Registration")}},
                body_required=True,
                errors=(403,),
            )
        }
    return paths


def _infer(name: str, named: list[Json]) -> Json:
    binary = {"schema": {"type": "string", "contentMediaType": BINARY}}
    operation = _answering(
        name,
        "Ask a model. Binary tensors follow the JSON, whose length a header then tells.",
        {JSON: {"schema": _reference("InferResponse")}, BINARY: binary},
        parameters=[
            *named,
            *CALLER,
            CONTENT_ENCODING,
            _header(
                "Inference-Header-Content-Length",
                "Bytes of the JSON, before compression; needed where binary data follow it.",
                {"type": "integer", "minimum": 0, "maximum": 2**31},
            ),
        ],
        content={JSON: {"schema": _reference("InferHeader")}, BINARY: binary},
        body_required=True,
        errors=(403,),
    )
    operation["responses"]["200"]["headers"] = {
        "Inference-Header-Content-Length": {
            "description": "Bytes of the JSON, where binary data follow it.",
            "schema": {"type": "integer"},
        }
    }
    return operation


def _jobs(name: str, named: list[Json]) -> Json:
    return _answering(
        name,
        "Ask a model offline: an infer request a line, and an answer or an error a line, each as "
        "soon as it is ready. A job only uses what other requests leave idle.",
        {NDJSON: {"schema": {"type": "string"}}},
        parameters=[*named, *CALLER],
        # Any bytes are lines: one that is no infer request is answered with an error of its own.
        content={NDJSON: {}},
        errors=(403,),
    )


def _health(name: str, summary: str, parameters: Sequence[Json] = ()) -> Json:
    operation = _answering(name, summary, {}, parameters=parameters)
    operation["responses"]["503"] = {"description": "Not now."}
    return operation


def _operation(name: str, summary: str, schema: str, **more: Any) -> Json:
    return _answering(name, summary, {JSON: {"schema": _reference(schema)}}, **more)


def _answering(
    name: str,
    summary: str,
    answer: Json,
    *,
    parameters: Sequence[Json] = (),
    content: Json | None = None,
    body_required: bool = False,
    errors: Sequence[int] = (),
) -> Json:
    """Return an operation that answers 200 with `answer` by media type, or with an error."""
    success: Json = {"description": "Done."}
    if answer:
        success["content"] = answer
    operation: Json = {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": success}
        | {str(status): _error(status) for status in sorted({*EVERYWHERE, *errors})},
    }
    if content is not None:
        operation["requestBody"] = {"content": content, "required": body_required}
    return operation


def _error(status: int) -> Json:
    return {"description": REASONS[status], "content": {JSON: {"schema": _reference("Error")}}}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _header(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": schema}


def _query(name: str, description: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string"}}


def _segment(name: str) -> Json:
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


NAME = {"type": "string", "maxLength": 128}
MODEL = _segment("model")
VERSION = _segment("version")
REGION = _segment("region")
# An empty header is as good as none.
CALLER = (
    _header("x-tenant", "On whose account; with tokens only the token's own.", NAME),
    _header(
        "x-priority",
        "How urgent it is; batch only uses what others leave idle.",
        {"type": "string", "enum": [*get_args(Priority), ""], "default": "normal"},
    ),
    _header("x-labels", "At most 8 pairs, like team=search,project=ranking.", {"type": "string"}),
    _header(
        "x-origin",
        "Whether it is a request of today or a recorded one.",
        {"type": "string", "enum": ["live", "replay", ""], "default": "live"},
    ),
    _header("x-client-region", "Where the client is.", NAME),
    _header("x-split-key", "Equal keys get the same version in an A/B test.", NAME),
    _header("x-request-id", "Comes back in the answer.", {"type": "string"}),
)
CONTENT_ENCODING = _header(
    "Content-Encoding",
    "How the body is compressed: gzip, deflate or identity; two, in the order of their use.",
    {"type": "string", "default": "identity"},
)


def _schemas() -> Json:
    _, schemas = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
    return schemas | WRITTEN


def _object(required: Json, optional: Json | None = None) -> Json:
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
    }


TEXT = {"type": "string"}
NUMBER = {"type": "integer", "minimum": 0}
SHAPE = {"type": "array", "items": {"type": "integer"}}
TENSOR_CONFIG = _object({"name": TEXT, "data_type": TEXT, "dims": SHAPE})
POLICY = _object(
    {
        "timeout_action": {"type": "string", "enum": ["REJECT", "DELAY"]},
        "default_timeout_microseconds": NUMBER,
        "allow_timeout_override": {"type": "boolean"},
        "max_queue_size": NUMBER,
    }
)
# What is encoded by hand, for speed or because its shape is Triton's.
WRITTEN: Json = {
    "Error": _object({"error": TEXT}),
    "OutputTensor": _object(
        {"name": TEXT, "shape": SHAPE, "datatype": TEXT},
        {
            "data": {"type": "array", "description": "Flat; null for NaN and infinities."},
            "parameters": _object(
                {},
                {
                    "binary_data_size": NUMBER,
                    "shared_memory_region": TEXT,
                    "shared_memory_offset": NUMBER,
                    "shared_memory_byte_size": NUMBER,
                },
            ),
        },
    ),
    "InferResponse": _object(
        {
            "model_name": TEXT,
            "model_version": TEXT,
            "outputs": {"type": "array", "items": _reference("OutputTensor")},
        },
        {"id": TEXT},
    ),
    "Prediction": _object(
        {
            "model_name": TEXT,
            "model_version": TEXT,
            "class": TEXT,
            "cache": TEXT,
            "probabilities": {"type": "object", "additionalProperties": {"type": "number"}},
            "timing": {"type": "object", "additionalProperties": NUMBER},
            "record_id": TEXT,
        }
    ),
    "ModelConfig": _object(
        {
            "name": TEXT,
            "platform": TEXT,
            "backend": TEXT,
            "max_batch_size": NUMBER,
            "input": {"type": "array", "items": TENSOR_CONFIG},
            "output": {"type": "array", "items": TENSOR_CONFIG},
            "instance_group": {
                "type": "array",
                "items": _object({"name": TEXT, "kind": TEXT, "count": NUMBER}),
            },
            "dynamic_batching": _object(
                {
                    "preferred_batch_size": {"type": "array", "items": NUMBER},
                    "max_queue_delay_microseconds": NUMBER,
                    "priority_levels": NUMBER,
                    "default_priority_level": NUMBER,
                    "default_queue_policy": POLICY,
                    "priority_queue_policy": {"type": "object", "additionalProperties": POLICY},
                }
            ),
            "response_cache": _object({"enable": {"type": "boolean"}}),
            "version_policy": {"type": "object"},
            "parameters": {
                "type": "object",
                "additionalProperties": _object({"string_value": TEXT}),
            },
        }
    ),
}
