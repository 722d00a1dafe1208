"""Presets are tables of the right shape, and can be put together where that is sound."""

import re
from pathlib import Path

import pytest

from collectors.prometheus.facts import selector_of
from collectors.prometheus.preset import Outcome, Preset
from collectors.prometheus.presets import (
    DCGM,
    INFERENCE_NODE,
    NODE_EXPORTER,
    PRESETS,
    TRITON,
    VLLM,
    combined,
)

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_every_preset_asks_for_metrics_and_makes_somebody_a_node(preset: Preset) -> None:
    assert preset.meanings
    assert all(re.fullmatch(r"[a-zA-Z_:][\w:]*", meaning.metric) for meaning in preset.meanings)
    assert any(getattr(meaning, "marks", True) for meaning in preset.meanings)
    assert preset.nodes


def test_metrics_of_our_own_node_are_those_that_it_documents() -> None:
    documented = (ROOT / "docs/metrics.md").read_text()
    for meaning in INFERENCE_NODE.meanings:
        name = re.sub(r"_(sum|count|bucket)$", "", meaning.metric)
        assert f"`{name}`" in documented, name


def test_a_selector_names_all_metrics_and_keeps_the_matchers() -> None:
    assert selector_of(DCGM, ' job="gpu", ') == (
        '{__name__=~"DCGM_FI_DEV_GPU_UTIL|DCGM_FI_DEV_FB_USED|DCGM_FI_DEV_POWER_USAGE|'
        'process_start_time_seconds|inference_node_build_info",job="gpu"}'
    )
    assert selector_of(TRITON, "").endswith('inference_node_build_info"}')


def test_presets_together_tell_each_thing_of_a_machine_once() -> None:
    preset = combined(["dcgm", "triton", "node_exporter"])
    of_gpu = [gauge.metric for gauge in preset.gauges if gauge.field == "gpu_utilization"]
    assert of_gpu == ["DCGM_FI_DEV_GPU_UTIL"]
    memory = [gauge.metric for gauge in preset.gauges if gauge.field == "memory_bytes"]
    assert memory == ["nv_cpu_memory_used_bytes"]
    assert preset.counters == (*TRITON.counters, *NODE_EXPORTER.counters)
    assert preset.nodes == (("Hostname",), ("hostname",), ("instance",))
    assert preset.pool == "gpu"
    assert combined(["vllm"]) is VLLM


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("200", (200, None)),
        ("503", (503, "queue_full")),
        ("stop", (200, None)),
        ("Weird", (500, "queue_full")),
        ("2xx", (500, "queue_full")),
        ("999", (500, "queue_full")),
    ],
)
def test_an_outcome_is_a_known_one_or_a_status_or_a_failure(
    value: str, told: tuple[int, str | None]
) -> None:
    outcome = Outcome("reason", {"stop": (200, None)}, error_label="error")
    labels = {"reason": value, "error": "" if value == "200" else "queue_full"}
    assert outcome.of(labels) == told
    assert Outcome("reason").of({"reason": "Weird"}) == (500, "weird")
    assert Outcome("reason").of({}) == (500, "failed")
