"""A trained network as an ONNX graph."""

from itertools import pairwise

import onnx
from onnx import TensorProto, helper, numpy_helper

from model_lab.classifier import INPUT, OUTPUT
from model_lab.network import Network
from model_lab.sample import CLASSES, SIDE

OPSET = 17
IR_VERSION = 8
"""Both are read by every onnxruntime since 1.12; nothing newer is needed."""


def layer_name(index: int) -> str:
    """Return the name of the graph node that computes layer `index`."""
    return f"layer_{index}"


def build_onnx(network: Network) -> onnx.ModelProto:
    """Return the graph: FP32 `image` [batch, 1, 32, 32] to FP32 `probabilities` [batch, 10].

    `batch` is free; equal networks give equal bytes. Raises ValueError if the network does not
    lead from 1,024 pixels to 10 digits.
    """
    if (network.widths[0], network.widths[-1]) != (SIDE * SIDE, CLASSES):
        raise ValueError(
            f"widths: {network.widths}, accepted are {SIDE * SIDE} at the start "
            f"and {CLASSES} at the end"
        )
    depth = len(network.weights)
    values = ["pixels", *(f"hidden_{index}" for index in range(depth - 1)), "logits"]
    nodes = [helper.make_node("Flatten", [INPUT], ["pixels"], name="flatten", axis=1)]
    for index, (source, target) in enumerate(pairwise(values)):
        last = index == depth - 1
        total = target if last else f"sum_{index}"
        nodes.append(
            helper.make_node(
                "Gemm",
                [source, f"weight_{index}", f"bias_{index}"],
                [total],
                name=layer_name(index),
            )
        )
        if not last:
            nodes.append(helper.make_node("Relu", [total], [target], name=f"relu_{index}"))
    nodes.append(helper.make_node("Softmax", ["logits"], [OUTPUT], name="softmax", axis=1))
    initializers = [
        numpy_helper.from_array(array, f"{kind}_{index}")
        for kind, arrays in (("weight", network.weights), ("bias", network.biases))
        for index, array in enumerate(arrays)
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", CLASSES])],
        initializers,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="model_lab",
    )
    onnx.checker.check_model(model, full_check=True)
    return model
