"""Infer requests and signatures for tests."""

import json
from typing import Any

from inference_node.models.config import ClassificationConfig
from inference_node.models.session import Tensor, TensorSpec
from inference_node.protocol.inputs import input_tensors
from inference_node.protocol.request import InferRequest, decode_infer
from inference_node.protocol.signature import Signature

Y = TensorSpec("y", "FP32", (-1,))


def signature_with(
    *inputs: TensorSpec,
    outputs: list[TensorSpec] | None = None,
    classification: ClassificationConfig | None = None,
) -> Signature:
    return Signature("m", "1", inputs, outputs or [Y], classification)


def request_with(**more: Any) -> InferRequest:
    """A request without inputs."""
    return decode_infer(json.dumps({"inputs": []} | more).encode())


def json_input(name: str, datatype: str, shape: list[int], data: object) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}


def binary_input(name: str, datatype: str, shape: list[int], size: int) -> dict[str, Any]:
    about = {"binary_data_size": size}
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": about}


def shared_input(
    name: str, datatype: str, shape: list[int], region: str, size: int, offset: int = 0
) -> dict[str, Any]:
    about: dict[str, Any] = {"shared_memory_region": region, "shared_memory_byte_size": size}
    if offset:
        about["shared_memory_offset"] = offset
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": about}


def body_of(inputs: list[dict[str, Any]], data: bytes = b"", **more: Any) -> tuple[bytes, int]:
    """Return a body with `data` behind its JSON, and the length of the JSON."""
    text = json.dumps({"inputs": inputs} | more).encode()
    return text + data, len(text)


def binary_tensor_of(datatype: str, shape: list[int], data: bytes, spec: tuple[int, ...]) -> Tensor:
    body, length = body_of([binary_input("x", datatype, shape, len(data))], data)
    signature = signature_with(TensorSpec("x", datatype, spec))
    return input_tensors(decode_infer(body, length), signature)["x"]
