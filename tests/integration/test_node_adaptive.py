"""Splits, shadows and cascades on a real node, with real digits: each is plain from the records."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.integration.accounting import adds_up
from tests.integration.node_process import ROOT, Node, running_node, until
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import save
from usage import UsageRecord

DIGITS = np.load(ROOT / "data" / "samples" / "digits.npz")
COUNT = 60
CONFIG = """
[metering]
sample_interval_seconds = 0.05
[pools.cpu]
workers = 2
[models.digits.cascade]
first = "2"
then = "1"
output = "probabilities"
threshold = 0.999
[models.digits.shadow]
version = "1"
share = 0.3
[models.ab.split]
weights = { "1" = 80, "2" = 20, "3" = 0 }
[models.any.split]
weights = { "1" = 1, "2" = 1 }
sticky_by = "request"
[models.any.shadow]
version = "3"
"""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    repository = tmp_path / "models"
    for version in ("1", "2", "3"):
        save(repository, "ab", onnx_models.doubling(), version=version)
        # What the shadow cannot execute is nobody's error.
        kind = onnx_models.in_threes() if version == "3" else onnx_models.any_length()
        save(repository, "any", kind, version=version, max_batch_size=1)
    (repository / "digits").symlink_to(ROOT / "data" / "models" / "digits")
    with running_node(tmp_path, repository, CONFIG) as node:
        yield node


def of_route(node: Node, *routes: str) -> list[UsageRecord]:
    return [record for record in node.records() if record.route in routes]


def test_a_cascade_of_real_models_is_as_right_as_its_better_one_and_says_who_answered(
    node: Node,
) -> None:
    answered: dict[str, str] = {}
    right = 0
    for number in range(COUNT):
        if number % 2:
            file = io.BytesIO()
            Image.fromarray(DIGITS["images"][number]).save(file, "PNG")
            answer = node.ask("POST", "/predict?model=digits", file.getvalue())
            found = answer.json["class"]
        else:
            pixels = (DIGITS["images"][number] / 255).astype(float).ravel().tolist()
            answer = node.infer("digits", image=("FP32", [1, 1, 32, 32], pixels))
            values = answer.json["outputs"][0]["data"]
            found = str(values.index(max(values)))
        right += found == str(DIGITS["labels"][number])
        answered[answer.record_id] = answer.json["model_version"]
    assert right >= COUNT - 3

    assert adds_up(node)
    answers = of_route(node, "cascade")
    assert {record.record_id: record.model_version for record in answers} == answered
    assert set(answered.values()) == {"1", "2"}  # else the threshold shows nothing
    tries = of_route(node, "cascade_attempt")
    assert {record.parent_id for record in tries} == {
        record_id for record_id, version in answered.items() if version == "1"
    }
    shadows = of_route(node, "shadow")
    assert {record.model_version for record in tries} == {"2"}
    assert all(record.compute_us > 0 for record in (*answers, *tries, *shadows))
    # Some 18 are chosen; on a busy machine most of them wait until the node gives them up.
    assert 1 <= len(shadows) <= 35
    assert {record.parent_id for record in shadows} <= answered.keys()
    assert {record.variant for record in tries} == {"int8"}


def test_a_split_is_sticky_by_key_fair_over_keys_and_bypassed_by_who_names_a_version(
    node: Node,
) -> None:
    def version(path: str = "ab", **headers: str) -> str:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = node.infer(path, named, x=("FP32", [1, 3], [1, 2, 3]))
        return str(answer.json["model_version"])

    by_key = {f"user-{n}": version(x_split_key=f"user-{n}") for n in range(200)}
    assert set(by_key.values()) == {"1", "2"}
    assert 120 <= Counter(by_key.values())["1"] <= 190
    for key in list(by_key)[:20]:
        assert version(x_tenant=key) == version(x_split_key=key, x_tenant="t") == by_key[key]
    assert version("ab/versions/3", x_split_key="user-0") == "3"

    assert adds_up(node)
    assert Counter(record.route for record in node.records()) == {"split": 240, "direct": 1}
    asked = Counter(record.model_version for record in of_route(node, "split"))
    assert asked.keys() == {"1", "2"}


def test_a_shadow_that_fails_disturbs_nobody_and_is_on_record(node: Node) -> None:
    for length in (2, 3):
        answer = node.infer("any", x=("FP32", [1, length], [1] * length))
        assert answer.json["outputs"][0]["data"] == [1] * length
    until(lambda: len(of_route(node, "shadow")) == 2)
    failed, served = sorted(of_route(node, "shadow"), key=lambda record: -record.status)
    assert (failed.status, failed.error) == (500, "execution_failed")
    assert (served.status, served.error) == (200, None)
    assert {record.priority for record in (failed, served)} == {"batch"}
    assert adds_up(node)
    requests = {record.record_id: record for record in of_route(node, "split")}
    assert requests[str(failed.parent_id)].status == 200
    assert {failed.parent_id, served.parent_id} == requests.keys()


def test_a_bad_request_to_an_adaptive_model_leaves_one_record(node: Node) -> None:
    for body in (b"{", json.dumps({"inputs": []}).encode()):
        answer = node.ask("POST", "/v2/models/any/infer", body)
        assert answer.status == 400
        assert node.record(answer.record_id).route == "split"
    assert adds_up(node)
    assert len(node.records()) == 2
