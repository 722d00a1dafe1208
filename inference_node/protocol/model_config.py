"""Triton's model configuration, `/v2/models/{model}/config`, as JSON.

Shape and names are those of message ModelConfig in triton-inference-server/common,
protobuf/model_config.proto. What Triton does not know goes to its free `parameters`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from inference_node.config import Device, ModelOverride, PoolConfig
from inference_node.models.config import ModelConfig, QueuePolicy
from inference_node.models.session import TensorSpec
from inference_node.protocol.metadata import PLATFORM

KINDS: Mapping[Device, str] = {"cpu": "KIND_CPU", "gpu": "KIND_GPU", "auto": "KIND_AUTO"}


def encode_model_config(
    name: str,
    config: ModelConfig,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    pools: Mapping[str, PoolConfig],
    override: ModelOverride | None = None,
) -> bytes:
    """Return the configuration of one version of model `name` as JSON.

    `pools` are those that serve it, `override` is what node.toml says of the model. Where an input
    or output does not begin with an axis of any length the model cannot batch: `max_batch_size` is
    0 and the dimensions are whole, else they leave the batch out.
    """
    batching = config.batching
    can_batch = all(spec.shape[:1] == (-1,) for spec in (*inputs, *outputs))
    content: dict[str, Any] = {
        "name": name,
        "platform": PLATFORM,
        "backend": "onnxruntime",
        "default_model_filename": "model.onnx",
        "version_policy": {"all": {}},
        "max_batch_size": batching.max_batch_size if can_batch else 0,
        "input": [_tensor(spec, can_batch) for spec in inputs],
        "output": [_tensor(spec, can_batch) for spec in outputs],
        "instance_group": [
            {
                "name": pool,
                "kind": KINDS[about.device],
                "count": min(config.scaling.max_sessions or about.workers, about.workers),
            }
            for pool, about in pools.items()
        ],
        "dynamic_batching": {
            "preferred_batch_size": batching.preferred_batch_size,
            "max_queue_delay_microseconds": batching.max_queue_delay_microseconds,
            "preserve_ordering": False,
            "priority_levels": batching.priority_levels,
            "default_priority_level": batching.default_priority_level,
            "default_queue_policy": _queue_policy(batching.default_queue_policy),
            "priority_queue_policy": {
                level: _queue_policy(policy)
                for level, policy in batching.priority_queue_policy.items()
            },
        },
        "response_cache": {"enable": config.response_cache.enable},
        "parameters": {
            key: {"string_value": value if isinstance(value, str) else _text(value)}
            for key, value in _parameters(config, override or ModelOverride()).items()
        },
    }
    return msgspec.json.encode(content)


def _tensor(spec: TensorSpec, can_batch: bool) -> dict[str, Any]:
    kind = "STRING" if spec.datatype == "BYTES" else spec.datatype
    dims = spec.shape[1:] if can_batch else spec.shape
    return {"name": spec.name, "data_type": f"TYPE_{kind}", "dims": dims}


def _queue_policy(policy: QueuePolicy) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.to_builtins(policy)
    return content | {"timeout_action": policy.timeout_action.upper()}


def _parameters(config: ModelConfig, override: ModelOverride) -> dict[str, Any]:
    """Return what Triton has no field for, tables as they are written in the files."""
    tables = {
        "variant": config.variant,
        "scaling": config.scaling,
        "image": config.image,
        "classification": config.classification,
        "split": override.split,
        "shadow": override.shadow,
        "cascade": override.cascade,
    }
    return {key: value for key, value in tables.items() if value is not None}


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
