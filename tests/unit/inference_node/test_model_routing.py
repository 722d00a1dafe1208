"""A/B splits, cascades and shadows: what is decided for a request is fair and stays the same."""

from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inference_node.access.caller import NOBODY, Caller
from inference_node.config import (
    CascadeConfig,
    ModelOverride,
    NodeConfig,
    ShadowConfig,
    SplitConfig,
)
from inference_node.errors import UnknownModelError
from inference_node.model_routing import Cascade, ModelRouting, Plan
from inference_node.models.repository import ModelRepository
from tests.unit.inference_node.gated_session import GatedSession, model_of

VERSIONS = ("1", "2", "3")
WEIGHTS = st.fixed_dictionaries({version: st.integers(0, 1000) for version in VERSIONS})
KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
CASCADE = CascadeConfig(first="1", then="2", output="y", threshold=0.9)


def routing(**override: object) -> ModelRouting:
    """Three versions of model `m`, adapted by `override`, and an `other` one that is not."""
    session = GatedSession()
    models = [model_of(session, version=version) for version in VERSIONS]
    models.append(model_of(session, name="other"))
    config = NodeConfig(models={"m": ModelOverride(**override)})  # type: ignore[arg-type]
    return ModelRouting(ModelRepository(models, config), config)


def split(weights: dict[str, int], **more: object) -> ModelRouting:
    return routing(split=SplitConfig(weights=weights, **more))  # type: ignore[arg-type]


def chosen(by: ModelRouting, key: str, record_id: str = "r") -> str:
    return by.plan("m", None, Caller(split_key=key), record_id).model.version


@given(WEIGHTS, KEYS, KEYS, KEYS)
def test_a_key_stays_with_its_version_whoever_asks_and_in_another_node_too(
    weights: dict[str, int], key: str, one: str, other: str
) -> None:
    assume(sum(weights.values()))
    first, second = split(weights), split(dict(weights))
    asked = Caller(tenant=one, split_key=key, priority="high")
    plan = first.plan("m", None, asked, one)
    assert plan.route == "split"
    assert weights[plan.model.version] > 0
    assert chosen(second, key, other) == plan.model.version
    # Without a key of its own, the tenant is the key.
    tenant_plan = second.plan("m", None, Caller(tenant=key), other)
    assert tenant_plan.model.version == plan.model.version


@pytest.mark.parametrize(
    "weights", [{"1": 90, "2": 10}, {"1": 1, "2": 1, "3": 2}, {"1": 0, "2": 1}, {"3": 7}]
)
@pytest.mark.parametrize("sticky_by", ["key", "request"])
def test_versions_get_the_shares_that_their_weights_say(
    weights: dict[str, int], sticky_by: str
) -> None:
    by = split(weights, sticky_by=sticky_by)
    count = 5000
    if sticky_by == "key":
        found = Counter(chosen(by, f"user-{number}") for number in range(count))
    else:
        found = Counter(chosen(by, "same", f"request-{number}") for number in range(count))
    for version in VERSIONS:
        share = weights.get(version, 0) / sum(weights.values())
        assert found[version] / count == pytest.approx(share, abs=0.03)
        assert share or not found[version]


def test_growing_weight_takes_keys_over_and_gives_none_away() -> None:
    small, large = split({"2": 10, "1": 90}), split({"2": 30, "1": 70})
    for number in range(2000):
        key = f"user-{number}"
        assert chosen(small, key) != "2" or chosen(large, key) == "2"


@given(KEYS, st.sampled_from(VERSIONS))
def test_a_request_that_names_its_version_gets_it_and_nothing_else(key: str, version: str) -> None:
    caller = Caller(split_key=key)
    for by in (
        split({"1": 1}),
        routing(cascade=CASCADE),
        routing(shadow=ShadowConfig(version="2", share=1.0)),
    ):
        plan = by.plan("m", version, caller, key)
        assert plan == Plan(by.find("m", version))


def test_a_cascade_asks_the_first_version_and_names_the_other_one() -> None:
    by = routing(cascade=CASCADE, default_version="3")
    plan = by.plan("m", None, NOBODY, "r")
    assert (plan.model, plan.route) == (by.find("m", "1"), "cascade")
    assert plan.cascade == Cascade(by.find("m", "2"), "y", 0.9)


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_a_shadow_sees_its_share_of_the_requests(share: float) -> None:
    by = routing(shadow=ShadowConfig(version="2", share=share), default_version="1")
    plans = [by.plan("m", None, NOBODY, f"request-{number}") for number in range(5000)]
    shadowed = [plan for plan in plans if plan.shadow is not None]
    assert len(shadowed) / len(plans) == pytest.approx(share, abs=0.02 if share % 1 else 0)
    assert all(plan.model.version == "1" and plan.route == "direct" for plan in plans)
    assert all(plan.shadow.version == "2" for plan in shadowed if plan.shadow is not None)
    again = [by.plan("m", None, NOBODY, f"request-{number}") for number in range(5000)]
    assert again == plans


def test_split_and_shadow_are_drawn_apart_from_each_other() -> None:
    by = routing(
        split=SplitConfig(weights={"1": 1, "2": 1}, sticky_by="request"),
        shadow=ShadowConfig(version="3", share=0.5),
    )
    plans = [by.plan("m", None, NOBODY, f"request-{number}") for number in range(5000)]
    found = Counter((plan.model.version, plan.shadow is not None) for plan in plans)
    assert all(count / 5000 == pytest.approx(0.25, abs=0.03) for count in found.values())
    assert len(found) == 4


def test_other_models_and_unknown_ones_are_left_alone() -> None:
    by = split({"1": 1})
    assert by.plan("other", None, NOBODY, "r") == Plan(by.find("other", None))
    for name, version in (("m", "9"), ("x", None), (None, None)):
        with pytest.raises(UnknownModelError):
            by.plan(name, version, NOBODY, "r")
