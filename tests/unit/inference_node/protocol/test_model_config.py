"""A model's configuration in Triton's shape."""

import json
from typing import Any

from inference_node.config import CascadeConfig, ModelOverride, PoolConfig, SplitConfig
from inference_node.models.config import (
    BatchingConfig,
    ModelConfig,
    QueuePolicy,
    ResponseCacheConfig,
    ScalingConfig,
)
from inference_node.models.session import TensorSpec
from inference_node.protocol.model_config import encode_model_config

X = TensorSpec("x", "FP32", (-1, 2))
Y = TensorSpec("y", "BYTES", (-1,))
POOLS = {"cpu": PoolConfig(workers=4), "fast": PoolConfig(device="gpu")}


def content(
    config: ModelConfig,
    inputs: list[TensorSpec],
    outputs: list[TensorSpec],
    override: ModelOverride | None = None,
) -> Any:
    return json.loads(encode_model_config("m", config, inputs, outputs, POOLS, override))


def test_a_model_that_batches_leaves_the_batch_out_of_its_dimensions() -> None:
    config = ModelConfig(
        variant="fp32",
        batching=BatchingConfig(
            max_batch_size=32,
            max_queue_delay_microseconds=100,
            preferred_batch_size=[8, 16],
            priority_levels=3,
            default_priority_level=2,
            default_queue_policy=QueuePolicy(max_queue_size=9, timeout_action="delay"),
            priority_queue_policy={"1": QueuePolicy(default_timeout_microseconds=5)},
        ),
        response_cache=ResponseCacheConfig(enable=True),
        scaling=ScalingConfig(max_sessions=2),
    )
    found = content(config, [X], [Y])
    assert (found["name"], found["platform"], found["backend"]) == (
        "m", "onnxruntime_onnx", "onnxruntime",
    )  # fmt: skip
    assert found["max_batch_size"] == 32
    assert found["input"] == [{"name": "x", "data_type": "TYPE_FP32", "dims": [2]}]
    assert found["output"] == [{"name": "y", "data_type": "TYPE_STRING", "dims": []}]
    assert found["dynamic_batching"] == {
        "preferred_batch_size": [8, 16],
        "max_queue_delay_microseconds": 100,
        "preserve_ordering": False,
        "priority_levels": 3,
        "default_priority_level": 2,
        "default_queue_policy": {
            "timeout_action": "DELAY",
            "default_timeout_microseconds": 0,
            "allow_timeout_override": True,
            "max_queue_size": 9,
        },
        "priority_queue_policy": {
            "1": {
                "timeout_action": "REJECT",
                "default_timeout_microseconds": 5,
                "allow_timeout_override": True,
                "max_queue_size": 0,
            }
        },
    }
    assert found["instance_group"] == [
        {"name": "cpu", "kind": "KIND_CPU", "count": 2},
        {"name": "fast", "kind": "KIND_GPU", "count": 1},
    ]
    assert found["response_cache"] == {"enable": True}
    assert found["version_policy"] == {"all": {}}


def test_a_model_that_cannot_batch_has_size_0_and_whole_dimensions() -> None:
    config = ModelConfig(variant="fp32")
    fixed = TensorSpec("x", "FP32", (1, 2))
    scalar = TensorSpec("y", "FP32", ())
    for inputs, outputs in (([fixed], [Y]), ([X], [scalar])):
        found = content(config, inputs, outputs)
        assert found["max_batch_size"] == 0
        assert found["input"][0]["dims"] == list(inputs[0].shape)
        assert found["output"][0]["dims"] == list(outputs[0].shape)
    assert content(config, [X], [Y])["max_batch_size"] == 1


def test_what_triton_has_no_field_for_is_in_the_parameters_as_text() -> None:
    override = ModelOverride(
        split=SplitConfig(weights={"1": 9, "2": 1}),
        cascade=CascadeConfig(first="2", then="1", output="y", threshold=0.9),
    )
    found = content(ModelConfig(variant="int8"), [X], [Y], override)["parameters"]
    assert found["variant"] == {"string_value": "int8"}
    assert json.loads(found["split"]["string_value"])["weights"] == {"1": 9, "2": 1}
    assert json.loads(found["cascade"]["string_value"])["threshold"] == 0.9
    assert json.loads(found["scaling"]["string_value"])["min_sessions"] == 1
    assert "shadow" not in found
