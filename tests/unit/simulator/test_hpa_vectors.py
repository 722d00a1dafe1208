"""The facts in hpa_vectors.json are re-keyed from the unit tests of the Kubernetes HPA controller.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler, Apache-2.0; each case names its test.
Copied from ../shared/hpa/vectors.json; `derived` was read off that code, not taken from its tests.
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.hpa.controller import HpaSettings, HpaSpec
from simulator.hpa.rules import DEFAULT_SCALE_DOWN, DEFAULT_SCALE_UP, ScalingRules
from simulator.hpa.stabilization import SECOND_US, Windows
from tests.hpa_vectors import SECTIONS, SETTINGS, differences, evaluate, pod_groups

VECTORS: dict[str, Any] = json.loads(
    Path(__file__).with_name("hpa_vectors.json").read_text("utf-8")
)
CASES = [
    pytest.param(section, case, id=f"{case['id']} {case['name']}")
    for section in SECTIONS
    for case in VECTORS[section]
]
WITH_GROUPS = [
    pytest.param(case, metric["kind"], id=case["id"])
    for case in VECTORS["replica_calc"] + VECTORS["controller_step"]
    for metric in case.get("metrics", [case])[:1]
    if case.get("pods") and metric["kind"] != "invalid"
]


def test_every_section_of_the_file_can_be_run() -> None:
    assert {key for key, value in VECTORS.items() if isinstance(value, list)} == set(SECTIONS)


@pytest.mark.parametrize(("section", "case"), CASES)
def test_the_rule_decides_as_kubernetes_does(section: str, case: dict[str, Any]) -> None:
    assert differences(section, case) == {}


@pytest.mark.parametrize(("case", "kind"), WITH_GROUPS)
def test_every_pod_of_a_case_falls_into_the_group_it_should(
    case: dict[str, Any], kind: str
) -> None:
    assert pod_groups(case, kind) == [pod["group"] for pod in case["pods"]]


@pytest.mark.parametrize(("section", "case"), CASES)
def test_every_asserted_key_is_one_that_is_evaluated(section: str, case: dict[str, Any]) -> None:
    assert set(case["expected"]) <= set(evaluate(section, case))


@pytest.mark.parametrize("section", SECTIONS)
def test_a_wrong_expectation_is_noticed(section: str) -> None:
    case = copy.deepcopy(VECTORS[section][0])
    key = next(iter(case["expected"]))
    case["expected"][key] = "something else"
    assert set(differences(section, case)) == {key}


def test_a_case_does_not_see_what_is_expected_of_it() -> None:
    for section in SECTIONS:
        for case in VECTORS[section]:
            blind = {key: value for key, value in case.items() if key != "expected"}
            assert evaluate(section, blind) == evaluate(section, case)


def test_the_defaults_are_those_of_kubernetes() -> None:
    defaults = VECTORS["defaults"]
    settings = HpaSettings()

    assert settings.tolerance.scale_down == settings.tolerance.scale_up == defaults["tolerance"]
    assert settings.downscale_stabilization_us == (
        defaults["downscale_stabilization_s"] * SECOND_US
    )
    initialization = settings.initialization
    assert initialization.period_us == defaults["cpu_initialization_period_s"] * SECOND_US
    assert initialization.initial_readiness_delay_us == (
        defaults["initial_readiness_delay_s"] * SECOND_US
    )
    assert Windows() == Windows(
        scale_up_us=defaults["upscale_stabilization_s"] * 1_000_000,
        scale_down_us=defaults["downscale_stabilization_s"] * 1_000_000,
    )
    assert HpaSpec((), max_replicas=5).min_replicas == defaults["min_replicas"]
    assert _as_given(DEFAULT_SCALE_UP) == defaults["behavior_scale_up"]
    assert _as_given(DEFAULT_SCALE_DOWN) == defaults["behavior_scale_down"]


def test_the_cases_run_with_the_settings_of_upstreams_tests() -> None:
    given = VECTORS["test_constants"]
    initialization = SETTINGS.initialization

    assert SETTINGS.tolerance.scale_up == given["tolerance"]
    assert initialization.period_us == given["cpu_initialization_period_s"] * SECOND_US
    assert initialization.initial_readiness_delay_us == (
        given["initial_readiness_delay_s"] * SECOND_US
    )
    assert SETTINGS.downscale_stabilization_us == given["downscale_stabilization_s"] * SECOND_US


def _as_given(rules: ScalingRules) -> dict[str, Any]:
    window_us = rules.stabilization_window_us
    return {
        "stabilization_window_s": None if window_us is None else window_us // SECOND_US,
        "select_policy": rules.select_policy,
        "policies": [
            {
                "type": policy.type,
                "value": policy.value,
                "period_s": policy.period_us // SECOND_US,
            }
            for policy in rules.policies
        ],
    }
