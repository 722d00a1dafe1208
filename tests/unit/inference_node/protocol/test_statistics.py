"""The statistics in Triton's shape."""

import json

from inference_node.protocol.statistics import (
    BatchStatistics,
    Duration,
    InferenceStatistics,
    ModelStatistics,
    encode_statistics,
)


def test_every_field_of_triton_is_there_whether_it_happened_or_not() -> None:
    nothing = {"count": 0, "ns": 0}
    models = [
        ModelStatistics(name="m", version="1"),
        ModelStatistics(
            name="m",
            version="2",
            last_inference=1_700_000_000_000,
            inference_count=9,
            execution_count=3,
            inference_stats=InferenceStatistics(success=Duration(4, 5)),
            batch_stats=[BatchStatistics(batch_size=3, compute_infer=Duration(3, 7))],
        ),
    ]
    first, second = json.loads(encode_statistics(models))["model_stats"]
    parts = ("queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss")
    assert first == {
        "name": "m",
        "version": "1",
        "last_inference": 0,
        "inference_count": 0,
        "execution_count": 0,
        "inference_stats": dict.fromkeys(("success", "fail", *parts), nothing),
        "batch_stats": [],
    }
    assert second["inference_stats"]["success"] == {"count": 4, "ns": 5}
    assert second["batch_stats"] == [
        {
            "batch_size": 3,
            "compute_input": nothing,
            "compute_infer": {"count": 3, "ns": 7},
            "compute_output": nothing,
        }
    ]


def test_no_model_is_an_empty_list() -> None:
    assert encode_statistics([]) == b'{"model_stats":[]}'
