"""One loaded ONNX model: the only place that knows ONNX Runtime."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from inference_node.errors import ExecutionError, StartError

Tensor = NDArray[np.generic]

FATAL_ONLY = 4

# ONNX Runtime's type names, the Open Inference Protocol's and numpy's.
DATATYPES: Mapping[str, tuple[str, type[np.generic]]] = {
    "tensor(bool)": ("BOOL", np.bool_),
    "tensor(uint8)": ("UINT8", np.uint8),
    "tensor(uint16)": ("UINT16", np.uint16),
    "tensor(uint32)": ("UINT32", np.uint32),
    "tensor(uint64)": ("UINT64", np.uint64),
    "tensor(int8)": ("INT8", np.int8),
    "tensor(int16)": ("INT16", np.int16),
    "tensor(int32)": ("INT32", np.int32),
    "tensor(int64)": ("INT64", np.int64),
    "tensor(float16)": ("FP16", np.float16),
    "tensor(float)": ("FP32", np.float32),
    "tensor(double)": ("FP64", np.float64),
    "tensor(string)": ("BYTES", np.object_),
}


@dataclass(frozen=True)
class TensorSpec:
    """Name, protocol datatype and shape of an input or output; -1 stands for any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Session:
    """Executes one model version; safe to use from several worker threads at once."""

    def __init__(self, path: Path, *, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = FATAL_ONLY
        try:
            # From bytes: a message about the file is ours, and the file may be replaced later.
            model = path.read_bytes()
            self._session = ort.InferenceSession(model, options, ["CPUExecutionProvider"])
        except OSError as error:
            raise StartError(f"{path}: {error.strerror}") from error
        except Exception as error:  # ONNX Runtime's errors have no common base but this
            raise StartError(f"{path}: not a usable ONNX model: {_one_line(error)}") from error
        self.inputs = [_spec(node, path) for node in self._session.get_inputs()]
        self.outputs = [_spec(node, path) for node in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> list[Tensor]:
        """Return the tensors named in `outputs` for `inputs`, whose first axis is the batch.

        Raises ExecutionError when the model fails on them.
        """
        try:
            return list(self._session.run(list(outputs), dict(inputs)))
        except Exception as error:  # as above
            raise ExecutionError(f"the model failed: {_one_line(error)}") from error


def _spec(node: ort.NodeArg, path: Path) -> TensorSpec:
    if node.type not in DATATYPES:
        accepted = ", ".join(DATATYPES)
        raise StartError(f"{path}: {node.name} has type {node.type}; accepted: {accepted}")
    shape = tuple(size if isinstance(size, int) else -1 for size in node.shape)
    return TensorSpec(node.name, DATATYPES[node.type][0], shape)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
