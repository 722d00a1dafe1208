"""What the node says of itself and of a model: `/v2` and `/v2/models/{model}`."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from inference_node.models.session import TensorSpec

PLATFORM = "onnxruntime_onnx"

# Triton's names of what the node does beyond the protocol itself.
EXTENSIONS = (
    "binary_tensor_data",
    "classification",
    "logging",
    "model_configuration",
    "model_repository",
    "schedule_policy",
    "statistics",
    "system_shared_memory",
    "trace",
)


class ServerMetadata(Struct, frozen=True):
    """The node."""

    name: str
    version: str
    extensions: Sequence[str]


class TensorMetadata(Struct, frozen=True):
    """An input or output of a model; -1 in its shape stands for any length of at least 1."""

    name: str
    datatype: str
    shape: Sequence[int]


class ModelMetadata(Struct, frozen=True):
    """A model: `versions` are all that are there, inputs and outputs those of the one asked for."""

    name: str
    versions: Sequence[str]
    platform: str
    inputs: Sequence[TensorMetadata]
    outputs: Sequence[TensorMetadata]


def encode_server_metadata(version: str) -> bytes:
    """Return the node's metadata as JSON; `version` is the product's."""
    return msgspec.json.encode(ServerMetadata("inference_node", version, EXTENSIONS))


def encode_model_metadata(
    name: str, versions: Sequence[str], inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> bytes:
    """Return the metadata of model `name` as JSON."""

    def described(specs: Sequence[TensorSpec]) -> list[TensorMetadata]:
        return [TensorMetadata(spec.name, spec.datatype, spec.shape) for spec in specs]

    return msgspec.json.encode(
        ModelMetadata(name, versions, PLATFORM, described(inputs), described(outputs))
    )
