"""Settings that contradict each other, or speak of what is not there, are named."""

from pathlib import Path

import pytest

from inference_node.clock import Clock
from inference_node.config import load_node_config
from inference_node.errors import StartError
from inference_node.models.repository import load_repository
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import SCORES, save


def start(folder: Path, node: str = "", *, more: str = "", max_batch_size: int = 8) -> str | None:
    """Load models `m` (versions 1 and 2) and `scores`; return the complaint, None without one.

    `more` goes into the config.toml of `m`. The file that the complaint names becomes a short name.
    """
    for version in ("1", "2"):
        save(
            folder / "models",
            "m",
            onnx_models.sum_and_product(),
            version=version,
            max_batch_size=max_batch_size,
            more=more,
        )
    save(folder / "models", "scores", onnx_models.image_scores(), more=SCORES)
    (folder / "node.toml").write_text(node)
    try:
        load_repository(
            folder / "models",
            load_node_config(folder / "node.toml"),
            folder / "node.toml",
            Clock(),
        )
    except StartError as error:
        assert "\n" not in str(error)
        return str(error).replace(f"{folder}/models/", "").replace(f"{folder}/", "")
    return None


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (
            "priority_levels = 2\ndefault_priority_level = 3",
            "batching.default_priority_level is 3; accepted: at most priority_levels, 2",
        ),
        (
            "default_priority_level = 1",
            "batching.default_priority_level is 1; accepted: at most priority_levels, 0",
        ),
        (
            "preferred_batch_size = [4, 9]",
            "batching.preferred_batch_size holds 9; accepted: at most max_batch_size, 8",
        ),
        (
            "priority_levels = 2\n[batching.priority_queue_policy.3]",
            "batching.priority_queue_policy: no level '3'; accepted: 1 to priority_levels, 2",
        ),
        (
            "priority_levels = 2\n[batching.priority_queue_policy.0]",
            "batching.priority_queue_policy: no level '0'; accepted: 1 to priority_levels, 2",
        ),
        (
            "priority_levels = 2\n[batching.priority_queue_policy.01]",
            "batching.priority_queue_policy: no level '01'; accepted: 1 to priority_levels, 2",
        ),
        (
            "[scaling]\nmin_sessions = 3\nmax_sessions = 2",
            "scaling.min_sessions is 3; accepted: at most max_sessions, 2",
        ),
    ],
)
def test_two_settings_of_a_model_that_contradict_each_other_are_named(
    tmp_path: Path, more: str, complaint: str
) -> None:
    assert start(tmp_path, more=more) == f"m/1/config.toml: {complaint}"


def test_the_nodes_configuration_is_named_where_it_made_them_contradict(tmp_path: Path) -> None:
    node = "[models.m.batching]\nmax_batch_size = 2\n[models.m.scaling]\nmin_sessions = 1"
    assert start(tmp_path, node, more="preferred_batch_size = [4]") == (
        "node.toml: models.m.batching.preferred_batch_size holds 4; "
        "accepted: at most max_batch_size, 2"
    )


CASCADE = """
[models.m.cascade]
first = "1"
then = "2"
threshold = 0.5
output = "{}"
"""


@pytest.mark.parametrize(
    ("node", "complaint"),
    [
        (
            "[[rules]]\npool = 'cpu'\n[[rules]]\npool = 'fast'",
            "rules: pool of rule 2: no pool 'fast'; accepted: cpu",
        ),
        (
            "[[rules]]\npool = 'cpu'\nmodel = 'x'",
            "rules: model of rule 1: no model 'x'; the repository holds: m, scores",
        ),
        (
            "[models.m.split]\nweights = {1 = 1, 3 = 1}",
            "models.m.split.weights: no version '3'; the repository holds: 1, 2",
        ),
        (
            "[models.m.split]\nweights = {1 = 0, 2 = 0}",
            "models.m.split.weights: the sum is 0; accepted: above 0",
        ),
        (
            "[models.m.split]\nweights = {}",
            "models.m.split.weights: the sum is 0; accepted: above 0",
        ),
        (
            "[models.m.shadow]\nversion = '3'",
            "models.m.shadow.version: no version '3'; the repository holds: 1, 2",
        ),
        (
            CASCADE.format("sum").replace('first = "1"', 'first = "0"'),
            "models.m.cascade.first: no version '0'; the repository holds: 1, 2",
        ),
        (
            CASCADE.format("sum").replace('then = "2"', 'then = "0"'),
            "models.m.cascade.then: no version '0'; the repository holds: 1, 2",
        ),
        (
            CASCADE.format("sum"),
            "models.m.cascade.output: the first version has no output 'sum' of type FP16 or FP32 "
            "or FP64; accepted: none of its outputs",
        ),
        (
            CASCADE.format("x").replace("models.m", "models.scores").replace("2", "1"),
            "models.scores.cascade.output: the first version has no output 'x' of type FP16 or "
            "FP32 or FP64; accepted: scores",
        ),
    ],
)
def test_what_the_nodes_configuration_speaks_of_must_be_there(
    tmp_path: Path, node: str, complaint: str
) -> None:
    assert start(tmp_path, node) == f"node.toml: {complaint}"


def test_settings_at_their_limits_are_good(tmp_path: Path) -> None:
    node = (
        CASCADE.format("scores").replace("models.m", "models.scores").replace("2", "1")
        + "[models.m.split]\nweights = {1 = 0, 2 = 1}\n[models.m.shadow]\nversion = '2'\n"
        + "[[rules]]\npool = 'cpu'\nmodel = 'm'"
    )
    more = (
        "preferred_batch_size = [1, 8]\npriority_levels = 2\ndefault_priority_level = 2\n"
        "[batching.priority_queue_policy.1]\n[batching.priority_queue_policy.2]\n"
        "[scaling]\nmin_sessions = 1\nmax_sessions = 1"
    )
    assert start(tmp_path, node, more=more) is None
