"""What one model version takes and gives, made ready once for all its requests."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from inference_node.models.config import ClassificationConfig
from inference_node.models.session import NUMPY_TYPES, TensorSpec
from inference_node.protocol.shared_memory import Place


class InputFormat(Struct, frozen=True):
    """An input: name, protocol datatype, shape (-1: any length) and numpy's type of an element."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def accepted(self) -> str:
        """The shape as a message shows it."""
        return f"{list(self.shape)} (-1: at least 1)"


class WantedOutput(Struct, frozen=True):
    """An output as one request wants it: in JSON or binary, whole or its `classes` largest values.

    Binary values with a `place` go there, others behind the JSON. `head` and `middle` are the JSON
    around its shape.
    """

    name: str
    datatype: str
    binary: bool
    classes: int
    place: Place | None
    head: bytes
    middle: bytes


class Signature:
    """Inputs and outputs of model `name`, version `version`; the first axis is the batch.

    `labels` name the classes of output `labelled`. `wanted` holds every output as requests mostly
    want it, by whether it is binary and by name. `prepared` is where protocol/prepared.py keeps
    what it made of requests.
    """

    def __init__(
        self,
        name: str,
        version: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        classification: ClassificationConfig | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.inputs = {
            spec.name: InputFormat(
                spec.name, spec.datatype, spec.shape, np.dtype(NUMPY_TYPES[spec.datatype])
            )
            for spec in inputs
        }
        self.outputs = {spec.name: spec for spec in outputs}
        self.labelled = classification.output if classification else None
        self.labels: tuple[str, ...] = classification.labels if classification else ()
        self.all_in_json = [wanted_output(spec, binary=False) for spec in outputs]
        self.all_binary = [wanted_output(spec, binary=True) for spec in outputs]
        self.wanted = {
            True: {output.name: output for output in self.all_binary},
            False: {output.name: output for output in self.all_in_json},
        }
        self.prepared: dict[bytes, Any] = {}
        about = msgspec.json.encode({"model_name": name, "model_version": version})
        self.head = about[:-1] + b',"outputs":['


def wanted_output(
    spec: TensorSpec, *, binary: bool, classes: int = 0, place: Place | None = None
) -> WantedOutput:
    """Return `spec` as a request wants it, with the JSON that never changes."""
    datatype = "BYTES" if classes else spec.datatype
    head = b'{"name":' + msgspec.json.encode(spec.name) + b',"shape":'
    middle = b',"datatype":' + msgspec.json.encode(datatype)
    if place is not None:
        middle += b',"parameters":{"shared_memory_region":%b,"shared_memory_offset":%d,' % (
            msgspec.json.encode(place.region),
            place.offset,
        )
        middle += b'"shared_memory_byte_size":'
    else:
        middle += b',"parameters":{"binary_data_size":' if binary else b',"data":'
    return WantedOutput(spec.name, datatype, binary, classes, place, head, middle)
