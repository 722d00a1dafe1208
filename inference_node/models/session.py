"""One loaded ONNX model on one device: the only place that knows ONNX Runtime."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from inference_node.cache.fingerprint import model_fingerprint
from inference_node.config import Device
from inference_node.errors import ExecutionError, StartError

logger = logging.getLogger(__name__)

Tensor = NDArray[np.generic]
UsedDevice = Literal["cpu", "gpu"]

FATAL_ONLY = 4
MOST_LOOKS = 3
CUDA = "CUDAExecutionProvider"
PROVIDERS: Mapping[UsedDevice, list[str]] = {
    "cpu": ["CPUExecutionProvider"],
    # What CUDA has no kernel for runs on the CPU, within the same session.
    "gpu": [CUDA, "CPUExecutionProvider"],
}
# An ONNX model of one node, y = Identity(x), by which CUDA is tried without anybody's model.
PROBE: Final = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01p'
    b"Z\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01"
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\x11"
)

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
NUMPY_TYPES: Mapping[str, type[np.generic]] = dict(DATATYPES.values())

# What ONNX Runtime says of an input before anything is executed. All else that it says speaks of
# nodes, source files and machines, and is for the log.
SAID_OF_INPUT = re.compile(
    r"INVALID_ARGUMENT : ((?:Got invalid dimensions|Invalid rank) for input: .*?"
    r"|Unexpected input data type\. .*?)(?: Please fix .*)?$"
)


@dataclass(frozen=True)
class TensorSpec:
    """Name, protocol datatype and shape of an input or output; -1 stands for any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class Session:
    """Executes one model version; safe to use from several threads at once. `fingerprint` is that
    of the file it was made of.

    Raises StartError for a file that is missing or no usable model, and where `device` is gpu and
    the model would not run on one: ONNX Runtime itself falls back to the CPU without a word.
    """

    def __init__(self, path: Path, *, device: UsedDevice, threads: int) -> None:
        self._path = path
        self._logged: set[type[Exception]] = set()
        try:
            # By its path: of a model given as bytes it parses the weights without letting go of the
            # interpreter, and everybody's requests stand still (0.25 s for 400 MiB).
            self.fingerprint, self._session = _unchanged(path, device, threads)
        except StartError:
            raise
        except OSError as error:
            raise StartError(f"{path}: {error.strerror}") from error
        except Exception as error:  # ONNX Runtime's errors have no common base but this
            raise StartError(f"{path}: not a usable ONNX model: {_one_line(error)}") from error
        if device == "gpu" and not _is_on_gpu(self._session):
            raise StartError(f"{path}: {_no_gpu()}")
        self.inputs = [_spec(node, path) for node in self._session.get_inputs()]
        self.outputs = [_spec(node, path) for node in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, Tensor], outputs: Sequence[str]) -> list[Tensor]:
        """Return the tensors named in `outputs` for `inputs`, whose first axis is the batch.

        Raises ExecutionError when the model fails on them.
        """
        try:
            return list(self._session.run(list(outputs), dict(inputs)))
        except Exception as error:  # as above
            self._log(error)
            said = SAID_OF_INPUT.search(_one_line(error))
            reason = f": {said[1][:200]}" if said else ""
            raise ExecutionError(f"the model failed on this input{reason}") from error

    def _log(self, error: Exception) -> None:
        # Once for every kind of failure: who sends bad input in a loop does not fill the log.
        if type(error) not in self._logged:
            self._logged.add(type(error))
            logger.warning("%s failed while it was executed: %s", self._path, _one_line(error))


def usable_device(device: Device) -> UsedDevice:
    """Return what sessions of `device` run on: `auto` is the GPU where CUDA can be used, else the
    CPU. Raises StartError when it is `gpu` and CUDA cannot be used.

    Being listed says little: the package may be there without a driver. So a model is tried.
    """
    if device == "cpu":
        return "cpu"
    if CUDA in ort.get_available_providers():
        # Else the library that cannot be loaded is an error on stderr, whoever asked.
        ort.set_default_logger_severity(FATAL_ONLY)
        try:
            if _is_on_gpu(_open(PROBE, "gpu", 1)):
                return "gpu"
        except Exception as error:  # as above
            logger.debug("CUDA was tried: %s", _one_line(error))
    if device == "gpu":
        raise StartError(_no_gpu())
    return "cpu"


def _unchanged(path: Path, device: UsedDevice, threads: int) -> tuple[str, ort.InferenceSession]:
    """Return the fingerprint of `path` and a session made of just that: the file may be replaced
    between one look at it and the next. Raises StartError where that goes on."""
    fingerprint = model_fingerprint(path)
    for _ in range(MOST_LOOKS):
        session = _open(str(path), device, threads)
        before, fingerprint = fingerprint, model_fingerprint(path)
        if fingerprint == before:
            return fingerprint, session
    raise StartError(f"{path}: changes while it is read")


def _open(model: str | bytes, device: UsedDevice, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = FATAL_ONLY
    # Fallback: opened or executed again on the CPU when a provider fails, with a print to stdout.
    return ort.InferenceSession(model, options, PROVIDERS[device], enable_fallback=0)


def _is_on_gpu(session: ort.InferenceSession) -> bool:
    return bool(session.get_providers()[:1] == [CUDA])


def _no_gpu() -> str:
    there = ", ".join(ort.get_available_providers())
    return (
        f"device gpu cannot be used; ONNX Runtime offers {there}; required: the package "
        "onnxruntime-gpu in the place of onnxruntime, an NVIDIA GPU and its driver"
    )


def _spec(node: ort.NodeArg, path: Path) -> TensorSpec:
    if node.type not in DATATYPES:
        accepted = ", ".join(DATATYPES)
        raise StartError(f"{path}: {node.name} has type {node.type}; accepted: {accepted}")
    shape = tuple(size if isinstance(size, int) else -1 for size in node.shape)
    return TensorSpec(node.name, DATATYPES[node.type][0], shape)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:1000]
