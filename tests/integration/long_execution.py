"""A model that executes for as long as its input says, in a real node."""

import json
import socket
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.integration.node_process import Node, until
from tests.unit.inference_node.onnx_models import value

LONG = "/v2/models/long/infer"


def tensor(datatype: str, shape: list[int], data: list[float]) -> bytes:
    given = {"name": "x", "datatype": datatype, "shape": shape, "data": data}
    return json.dumps({"inputs": [given]}).encode()


def looping() -> bytes:
    """y = x after max(x) rounds of a loop: as much work as its input says."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node("MatMul", ["before", "unit"], ["after"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, [64, 64]),
        ],
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, [64, 64]),
        ],
        [numpy_helper.from_array(np.eye(64, dtype=np.float32), "unit")],
    )
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMax", ["x"], ["rounds"], keepdims=0),
            helper.make_node("Loop", ["rounds", "", "start"], ["end"], body=body),
            helper.make_node("ReduceMin", ["end"], ["least"], keepdims=0),
            helper.make_node("Cast", ["least"], ["zero"], to=TensorProto.INT64),
            helper.make_node("Add", ["x", "zero"], ["y"]),
        ],
        "g",
        [value("x", "INT64", (None,))],
        [value("y", "INT64", (None,))],
        [numpy_helper.from_array(np.eye(64, dtype=np.float32), "start")],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(proto)
    serialised: bytes = proto.SerializeToString()
    return serialised


def body_for(node: Node, seconds: float, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a request that takes about `seconds` on this machine now; one request is sent."""
    rounds = 20_000
    answer = node.ask("POST", LONG, tensor("INT64", [1], [rounds]), headers)
    assert answer.status == 200
    rounds_per_us = rounds / node.record(answer.record_id).compute_us
    return tensor("INT64", [1], [round(rounds_per_us * seconds * 1e6)])


def sent(
    node: Node, path: str, body: bytes, headers: Mapping[str, str] | None = None, *, more: int = 0
) -> socket.socket:
    """Return a connection on which a request was sent, but for `more` bytes of its body."""
    connection = node.connect()
    given = {"host": "x", "content-length": str(len(body) + more), **(headers or {})}
    lines = "".join(f"{name}: {text}\r\n" for name, text in given.items())
    connection.sendall(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
    return connection


def metric(node: Node, line: bytes, headers: Mapping[str, str] | None = None) -> bool:
    """Tell whether `/metrics` says `line` now."""
    return line in node.ask("GET", "/metrics", headers=headers).body.splitlines()


def begun(node: Node, body: bytes, headers: Mapping[str, str] | None = None) -> socket.socket:
    """Return a connection whose request to the looping model is being executed."""
    connection = sent(node, LONG, body, headers)
    until(lambda: metric(node, b'inference_workers_busy{pool="cpu"} 1.0', headers))
    return connection
