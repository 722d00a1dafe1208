"""Tiny ONNX models, made for one purpose each, in a repository of their own."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str | None]

ELEMENT_TYPES = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def value(name: str, datatype: str, shape: Shape) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, ELEMENT_TYPES[datatype], list(shape))


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[onnx.ValueInfoProto],
    **constants: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]",
) -> bytes:
    graph = helper.make_graph(
        list(nodes),
        "g",
        list(inputs),
        list(outputs),
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto)
    serialised: bytes = proto.SerializeToString()
    return serialised


def doubling(shape: Shape = (None, 3)) -> bytes:
    """y = 2 x, FP32."""
    return multiplying(2, shape)


def multiplying(factor: float, shape: Shape = (None, 3)) -> bytes:
    """y = factor x, FP32."""
    return model(
        [helper.make_node("Mul", ["x", "factor"], ["y"])],
        [value("x", "FP32", shape)],
        [value("y", "FP32", shape)],
        factor=np.array(factor, np.float32),
    )


def echo(datatype: str) -> bytes:
    """y = x, two values an item."""
    return model(
        [helper.make_node("Identity", ["x"], ["y"])],
        [value("x", datatype, (None, 2))],
        [value("y", datatype, (None, 2))],
    )


def sum_and_product() -> bytes:
    """Two inputs, two outputs: sum = a + b, product = a * b, INT64."""
    return model(
        [
            helper.make_node("Add", ["a", "b"], ["sum"]),
            helper.make_node("Mul", ["a", "b"], ["product"]),
        ],
        [value("a", "INT64", (None,)), value("b", "INT64", (None,))],
        [value("sum", "INT64", (None,)), value("product", "INT64", (None,))],
    )


def fragile() -> bytes:
    """y = one of four numbers by index x; an index from 4 on fails while it executes."""
    return model(
        [helper.make_node("Gather", ["numbers", "x"], ["y"])],
        [value("x", "INT64", (None,))],
        [value("y", "FP32", (None,))],
        numbers=np.array([1, 2, 4, 8], np.float32),
    )


def constant() -> bytes:
    """y = 1, whatever: there is no input."""
    return model(
        [helper.make_node("Identity", ["one"], ["y"])],
        [],
        [value("y", "FP32", (1,))],
        one=np.ones(1, np.float32),
    )


def any_length() -> bytes:
    """y = x of any number of values an item: requests differ in shape."""
    return model(
        [helper.make_node("Identity", ["x"], ["y"])],
        [value("x", "FP32", (None, None))],
        [value("y", "FP32", (None, None))],
    )


def in_threes() -> bytes:
    """y = the values of x in rows of three; fails where they do not come out even."""
    return model(
        [helper.make_node("Reshape", ["x", "rows"], ["y"])],
        [value("x", "FP32", (None, None))],
        [value("y", "FP32", ("rows", 3))],
        rows=np.array([-1, 3], np.int64),
    )


def slow(steps: int = 300) -> bytes:
    """y = x after `steps` multiplications with the unit matrix: some milliseconds of work."""
    names = ["x", *(f"h{step}" for step in range(1, steps)), "y"]
    return model(
        [
            helper.make_node("MatMul", [before, "unit"], [after])
            for before, after in pairwise(names)
        ],
        [value("x", "FP32", (None, 256))],
        [value("y", "FP32", (None, 256))],
        unit=np.eye(256, dtype=np.float32),
    )


def losing_rows() -> bytes:
    """y = the first row of x, whatever the batch: no model to batch with, though it says so."""
    return model(
        [helper.make_node("Slice", ["x", "from", "to", "axis"], ["y"])],
        [value("x", "FP32", (None, 2))],
        [value("y", "FP32", ("other", 2))],
        **{
            "from": np.array([0], np.int64),
            "to": np.array([1], np.int64),
            "axis": np.array([0], np.int64),
        },
    )


def image_scores() -> bytes:
    """scores = softmax over the four pixels of a 2 x 2 grey image."""
    return model(
        [
            helper.make_node("Flatten", ["image"], ["flat"]),
            helper.make_node("Softmax", ["flat"], ["scores"]),
        ],
        [value("image", "FP32", (None, 1, 2, 2))],
        [value("scores", "FP32", (None, 4))],
    )


def save(
    repository: Path,
    name: str,
    onnx_bytes: bytes,
    *,
    version: str = "1",
    variant: str = "fp32",
    max_batch_size: int = 8,
    delay_us: int = 0,
    more: str = "",
) -> Path:
    """Write a model version; return its folder."""
    folder = repository / name / version
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(onnx_bytes)
    (folder / "config.toml").write_text(
        f'variant = "{variant}"\n[batching]\nmax_batch_size = {max_batch_size}\n'
        f"max_queue_delay_microseconds = {delay_us}\n{more}"
    )
    return folder


SCORES = """
[image]
input = "image"
width = 2
height = 2
channels = 1
[classification]
output = "scores"
labels = ["a", "b", "c", "d"]
"""
