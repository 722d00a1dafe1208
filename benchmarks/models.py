"""The two models that everything is measured with, made from fixed seeds: no download, no file."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]

INPUT, OUTPUT, CLASSES = "x", "y", 10


@dataclass(frozen=True)
class BenchmarkModel:
    """One ONNX model: input `x` and output `y`, FP32, first axis the batch.

    `shape` is that of one item, without the batch axis.
    """

    name: str
    shape: tuple[int, ...]
    onnx_bytes: bytes

    def item(self) -> Floats:
        """Return a batch of one item, the same every time."""
        values = np.random.default_rng(7).standard_normal((1, *self.shape))
        return values.astype(np.float32)

    def save(self, repository: Path, max_batch_size: int) -> Path:
        """Write the model as version 1 with a delay of 0; return the path of its ONNX file."""
        folder = repository / self.name / "1"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(
            f'variant = "fp32"\n[batching]\nmax_batch_size = {max_batch_size}\n'
            "max_queue_delay_microseconds = 0\n"
        )
        path = folder / "model.onnx"
        path.write_bytes(self.onnx_bytes)
        return path


def raw_body(model: BenchmarkModel) -> bytes:
    """Return one item as its bytes alone, which is what the peers take."""
    return model.item().tobytes()


def v2_body(model: BenchmarkModel) -> tuple[bytes, dict[str, str]]:
    """Return one item as an infer request with binary tensors both ways, and its headers.

    Format: Open Inference Protocol, binary tensor data extension.
    """
    item = model.item()
    head = msgspec.json.encode(
        {
            "inputs": [
                {
                    "name": INPUT,
                    "datatype": "FP32",
                    "shape": item.shape,
                    "parameters": {"binary_data_size": item.nbytes},
                }
            ],
            "parameters": {"binary_data_output": True},
        }
    )
    return head + item.tobytes(), {"Inference-Header-Content-Length": str(len(head))}


def job_line(model: BenchmarkModel) -> bytes:
    """Return one item as a line of an offline job: an infer request in JSON."""
    item = model.item()
    tensor = {"name": INPUT, "datatype": "FP32", "shape": item.shape}
    # Two decimals: what digits a line has besides is no matter of serving.
    data = [round(value, 2) for value in item.ravel().tolist()]
    return msgspec.json.encode({"inputs": [{**tensor, "data": data}]}) + b"\n"


def mlp() -> BenchmarkModel:
    """64-64-10, about 5 microseconds: what a server adds is nearly all there is to see."""
    weights = _Weights(seed=1)
    nodes = [
        _gemm("x", "hidden", *weights.dense(64, 64)),
        helper.make_node("Relu", ["hidden"], ["active"]),
        _gemm("active", OUTPUT, *weights.dense(64, CLASSES)),
    ]
    return BenchmarkModel("mlp", (64,), _serialised(nodes, (64,), weights))


def cnn() -> BenchmarkModel:
    """Four 3x3 convolutions over a 64x64 RGB image, about 2 milliseconds: compute is the most."""
    weights = _Weights(seed=2)
    nodes: list[onnx.NodeProto] = []
    before = INPUT
    layers = ((3, 48, 1), (48, 64, 2), (64, 96, 1), (96, 96, 1))
    for number, (channels_in, channels_out, stride) in enumerate(layers):
        weight, bias = weights.convolution(channels_in, channels_out)
        nodes += [
            helper.make_node(
                "Conv",
                [before, weight, bias],
                [f"convolved{number}"],
                kernel_shape=[3, 3],
                pads=[1, 1, 1, 1],
                strides=[stride, stride],
            ),
            helper.make_node("Relu", [f"convolved{number}"], [f"active{number}"]),
        ]
        before = f"active{number}"
    nodes += [
        helper.make_node("GlobalAveragePool", [before], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        _gemm("flat", OUTPUT, *weights.dense(96, CLASSES)),
    ]
    return BenchmarkModel("cnn", (3, 64, 64), _serialised(nodes, (3, 64, 64), weights))


class _Weights:
    """Random constants of one graph, scaled so that activations neither vanish nor overflow."""

    def __init__(self, seed: int) -> None:
        self.tensors: list[onnx.TensorProto] = []
        self._rng = np.random.default_rng(seed)

    def dense(self, size_in: int, size_out: int) -> tuple[str, str]:
        return self._layer((size_in, size_out), fan_in=size_in, size_out=size_out)

    def convolution(self, channels_in: int, channels_out: int) -> tuple[str, str]:
        shape = (channels_out, channels_in, 3, 3)
        return self._layer(shape, fan_in=9 * channels_in, size_out=channels_out)

    def _layer(self, shape: tuple[int, ...], fan_in: int, size_out: int) -> tuple[str, str]:
        weight = self._rng.standard_normal(shape) * np.sqrt(2 / fan_in)
        return self._add(weight.astype(np.float32)), self._add(np.zeros(size_out, np.float32))

    def _add(self, values: Floats) -> str:
        name = f"constant{len(self.tensors)}"
        self.tensors.append(numpy_helper.from_array(values, name))
        return name


def _gemm(before: str, after: str, weight: str, bias: str) -> onnx.NodeProto:
    return helper.make_node("Gemm", [before, weight, bias], [after])


def _serialised(nodes: list[onnx.NodeProto], shape: tuple[int, ...], weights: _Weights) -> bytes:
    def value(name: str, *size: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *size])

    graph = helper.make_graph(
        nodes, "benchmark", [value(INPUT, *shape)], [value(OUTPUT, CLASSES)], weights.tensors
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    serialised: bytes = model.SerializeToString()
    return serialised
