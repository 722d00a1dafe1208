"""What the node says of itself and of a model."""

import json

from inference_node.models.session import TensorSpec
from inference_node.protocol.metadata import encode_model_metadata, encode_server_metadata


def test_the_node_names_itself_and_what_it_does() -> None:
    content = json.loads(encode_server_metadata("1.2"))
    assert (content["name"], content["version"]) == ("inference_node", "1.2")
    assert {"binary_tensor_data", "statistics", "trace"} <= set(content["extensions"])
    assert not {"sequence", "cuda_shared_memory"} & set(content["extensions"])


def test_metadata_lists_versions_inputs_and_outputs() -> None:
    specs = [TensorSpec("x", "FP32", (-1, 2))], [TensorSpec("y", "BYTES", (-1,))]
    assert json.loads(encode_model_metadata("m", ["1", "2"], *specs)) == {
        "name": "m",
        "versions": ["1", "2"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "y", "datatype": "BYTES", "shape": [-1]}],
    }
