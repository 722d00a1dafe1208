"""Which models a node holds, which one a request gets, and what keeps a node from starting."""

import asyncio
from pathlib import Path

import pytest

from inference_node.clock import Clock
from inference_node.config import (
    CascadeConfig,
    ModelOverride,
    NodeConfig,
    PoolConfig,
    PoolRule,
    ServingConfig,
    ShadowConfig,
    SplitConfig,
)
from inference_node.errors import ModelUnavailableError, StartError, UnknownModelError
from inference_node.models.repository import ModelRepository, load_repository
from inference_node.models.session import TensorSpec, usable_device
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import SCORES, save

NODE_TOML = Path("conf/node.toml")
without_gpu = pytest.mark.skipif(
    usable_device("auto") == "gpu", reason="this machine has a GPU that can be used"
)


def load(path: Path, config: NodeConfig | None = None) -> ModelRepository:
    return load_repository(path, config or NodeConfig(), NODE_TOML, Clock())


def refusal(path: Path, config: NodeConfig | None = None) -> str:
    with pytest.raises(StartError) as refused:
        load(path, config)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_without_a_version_the_highest_number_answers(tmp_path: Path) -> None:
    for version in ("1", "9", "10", "latest"):
        save(tmp_path, "m", onnx_models.doubling(), version=version)
    models = load(tmp_path)
    assert models.find("m", None).version == "10"
    assert models.find("m", "latest").version == "latest"
    assert sorted(models.versions("m")) == ["1", "10", "9", "latest"]
    assert models.versions("other") == []
    assert len(list(models.models())) == 4


def test_versions_that_are_no_numbers_are_ordered_by_name(tmp_path: Path) -> None:
    for version in ("alpha", "beta"):
        save(tmp_path, "m", onnx_models.doubling(), version=version)
    assert load(tmp_path).find("m", None).version == "beta"


def test_the_nodes_configuration_chooses_the_default_version_and_model(tmp_path: Path) -> None:
    for name, version in (("m", "1"), ("m", "2"), ("n", "1")):
        save(tmp_path, name, onnx_models.doubling(), version=version)
    config = NodeConfig(
        serving=ServingConfig(default_model="m"),
        models={"m": ModelOverride(default_version="1")},
    )
    assert load(tmp_path, config).find(None, None).version == "1"
    assert load(tmp_path, config).find(None, "2").version == "2"


def test_the_only_model_is_the_default_and_of_two_none_is(tmp_path: Path) -> None:
    save(tmp_path, "m", onnx_models.doubling())
    assert load(tmp_path).find(None, None).name == "m"
    save(tmp_path, "n", onnx_models.doubling())
    with pytest.raises(UnknownModelError, match="no default, it holds: m, n"):
        load(tmp_path).find(None, None)


def test_an_unknown_name_or_version_is_answered_with_what_is_there(tmp_path: Path) -> None:
    save(tmp_path, "m", onnx_models.doubling())
    models = load(tmp_path)
    with pytest.raises(UnknownModelError, match="unknown model 'x'; this node holds: m"):
        models.find("x", None)
    with pytest.raises(UnknownModelError, match="unknown version '7' of model 'm'"):
        models.find("m", "7")


def test_an_empty_name_or_version_is_no_wish_for_the_default(tmp_path: Path) -> None:
    save(tmp_path, "m", onnx_models.doubling())
    models = load(tmp_path)
    with pytest.raises(UnknownModelError):
        models.find("", None)
    with pytest.raises(UnknownModelError):
        models.find("m", "")


def test_the_nodes_configuration_overrides_batching_for_all_versions(tmp_path: Path) -> None:
    for version in ("1", "2"):
        save(tmp_path, "m", onnx_models.doubling(), version=version, delay_us=500)
    config = NodeConfig(
        models={
            "m": ModelOverride(batching={"max_batch_size": 32, "max_queue_delay_microseconds": 0})
        }
    )
    for version in ("1", "2"):
        batching = load(tmp_path, config).find("m", version).config.batching
        assert (batching.max_batch_size, batching.max_queue_delay_microseconds) == (32, 0)
    batching = load(tmp_path).find("m", "1").config.batching
    assert (batching.max_batch_size, batching.max_queue_delay_microseconds) == (8, 500)


def test_hidden_folders_and_loose_files_are_no_models(tmp_path: Path) -> None:
    save(tmp_path, "m", onnx_models.doubling())
    (tmp_path / ".cache" / "1").mkdir(parents=True)
    (tmp_path / "m" / ".tmp").mkdir()
    (tmp_path / "README.md").write_text("notes")
    assert [model.name for model in load(tmp_path).models()] == ["m"]


def test_a_repository_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent").startswith(f"{tmp_path / 'absent'}: no such folder")
    assert refusal(tmp_path).startswith(f"{tmp_path}: holds no model")


def test_a_missing_part_of_a_version_is_named(tmp_path: Path) -> None:
    folder = save(tmp_path, "m", onnx_models.doubling())
    (folder / "model.onnx").unlink()
    assert refusal(tmp_path) == f"{folder / 'model.onnx'}: No such file or directory"
    (folder / "config.toml").unlink()
    assert refusal(tmp_path) == f"{folder / 'config.toml'}: No such file or directory"


def test_one_bad_version_among_good_ones_keeps_the_node_from_starting(tmp_path: Path) -> None:
    save(tmp_path, "m", onnx_models.doubling())
    bad = save(tmp_path, "n", b"no model")
    assert refusal(tmp_path).startswith(f"{bad / 'model.onnx'}: ")


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (NodeConfig(models={"x": ModelOverride()}), "models.x: no model 'x'"),
        (
            NodeConfig(models={"m": ModelOverride(default_version="3")}),
            "models.m.default_version: no version '3'",
        ),
        (
            NodeConfig(serving=ServingConfig(default_model="x")),
            "serving.default_model: no model 'x'",
        ),
    ],
)
def test_a_model_or_version_that_only_the_nodes_configuration_knows_is_named_with_file_and_field(
    tmp_path: Path, config: NodeConfig, field: str
) -> None:
    save(tmp_path, "m", onnx_models.doubling())
    message = refusal(tmp_path, config)
    assert message.startswith(f"{NODE_TOML}: {field}; the repository holds: ")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "`variant`"),
        ("variant = 'fp32'\nvariants = 1", "`variants`"),
        ("variant = 'fp32'\n[batching]\nmax_batch_size = 0", "`$.batching.max_batch_size`"),
        ("variant = 'fp32'\n[image]\ninput = 'image'", "`width`"),
        (
            "variant = 'fp32'\n[classification]\noutput = 'y'\nlabels = []",
            "`$.classification.labels`",
        ),
        ("variant = ", "Invalid value"),
    ],
)
def test_a_wrong_model_configuration_is_named_with_file_and_field(
    tmp_path: Path, text: str, field: str
) -> None:
    folder = save(tmp_path, "m", onnx_models.doubling())
    (folder / "config.toml").write_text(text)
    message = refusal(tmp_path)
    assert message.startswith(f"{folder / 'config.toml'}: ")
    assert field in message


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('input = "image"', 'input = "pixels"', "image needs"),
        ("width = 2", "width = 3", "image needs"),
        ("channels = 1", "channels = 3", "image needs"),
        ('output = "scores"', 'output = "chances"', "classification.output 'chances'"),
        ('"c", "d"', '"c"', "with 3 labels does not fit"),
    ],
)
def test_a_configuration_that_speaks_of_what_the_model_has_not_is_named(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    assert old in SCORES
    folder = save(tmp_path, "m", onnx_models.image_scores(), more=SCORES.replace(old, new))
    message = refusal(tmp_path)
    assert message.startswith(f"{folder / 'config.toml'}: ")
    assert complaint in message


def test_a_model_of_one_fixed_item_is_served_in_batches_of_one_only(tmp_path: Path) -> None:
    folder = save(tmp_path, "m", onnx_models.doubling((1, 3)), max_batch_size=1)
    assert load(tmp_path).find("m", None).config.batching.max_batch_size == 1
    config = NodeConfig(models={"m": ModelOverride(batching={"max_batch_size": 2})})
    assert refusal(tmp_path, config).startswith(
        f"{folder / 'config.toml'}: batching.max_batch_size is 2, but x has shape [1, 3]"
    )


@pytest.mark.parametrize("shape", [(4, 3), ()])
def test_a_model_that_no_request_could_ever_fit_is_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    save(tmp_path, "m", onnx_models.doubling(shape), max_batch_size=1)
    assert f"x has shape {list(shape)}; its first axis must be of any length" in refusal(tmp_path)


def test_a_model_without_inputs_is_refused(tmp_path: Path) -> None:
    folder = save(tmp_path, "m", onnx_models.constant(), max_batch_size=1)
    assert refusal(tmp_path) == f"{folder / 'model.onnx'}: the model has no input"


POOLS = {"cpu": PoolConfig(), "fast": PoolConfig(workers=2), "spare": PoolConfig()}


@pytest.mark.parametrize(
    ("rules", "pools"),
    [
        ([], ["cpu"]),
        ([PoolRule(pool="fast", priority="high")], ["cpu", "fast"]),
        ([PoolRule(pool="fast", model="m", min_items=2)], ["cpu", "fast"]),
        ([PoolRule(pool="fast", model="other")], ["cpu"]),
        ([PoolRule(pool="fast", model="m"), PoolRule(pool="spare")], ["fast"]),
        ([PoolRule(pool="spare", min_input_bytes=9), PoolRule(pool="fast")], ["fast", "spare"]),
    ],
)
def test_a_model_is_loaded_in_every_pool_that_some_request_to_it_may_go_to(
    tmp_path: Path, rules: list[PoolRule], pools: list[str]
) -> None:
    for name in ("m", "other"):
        save(tmp_path, name, onnx_models.doubling())
    model = load(tmp_path, NodeConfig(pools=POOLS, rules=rules)).find("m", None)
    assert list(model.sessions) == pools
    for sessions in model.sessions.values():
        assert (sessions.ready, sessions.counts.loads, sessions.device) == (1, 1, "cpu")
    assert len(model.fingerprint) == 40
    assert model.inputs == [TensorSpec("x", "FP32", (-1, 3))]
    assert [spec.name for spec in model.outputs] == ["y"]


def test_a_model_that_may_be_unloaded_is_looked_at_and_dropped(tmp_path: Path) -> None:
    save(tmp_path, "m", onnx_models.doubling(), more="[scaling]\nmin_sessions = 0")
    model = load(tmp_path).find("m", None)
    assert model.sessions["cpu"].ready == 0
    assert model.inputs == [TensorSpec("x", "FP32", (-1, 3))]
    assert model.failure is None
    save(tmp_path, "n", b"no model", more="[scaling]\nmin_sessions = 0")
    assert "not a usable ONNX model" in refusal(tmp_path)


@without_gpu
def test_a_pool_that_demands_a_gpu_keeps_a_node_without_one_from_starting(tmp_path: Path) -> None:
    save(tmp_path, "m", onnx_models.doubling())
    pools = {"cpu": PoolConfig(), "gpu": PoolConfig(device="gpu")}
    assert refusal(tmp_path, NodeConfig(pools=pools)).startswith(
        f"{NODE_TOML}: pools.gpu: device gpu cannot be used; ONNX Runtime offers "
    )


@without_gpu
def test_what_a_pool_runs_on_is_decided_once_and_said_in_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("m", "n"):
        save(tmp_path, name, onnx_models.doubling())
    with caplog.at_level("INFO"):
        models = load(tmp_path, NodeConfig(pools={"any": PoolConfig(device="auto")}))
    assert caplog.messages.count("pool any: device auto is the cpu") == 1
    assert {model.sessions["any"].device for model in models.models()} == {"cpu"}
    assert models.devices == {"any": "cpu"}


def test_a_model_is_loaded_and_unloaded_in_all_its_pools(tmp_path: Path) -> None:
    folder = save(tmp_path, "m", onnx_models.doubling())
    config = NodeConfig(pools=POOLS, rules=[PoolRule(pool="fast", priority="high")])
    model = load(tmp_path, config).find("m", None)

    async def story() -> None:
        model.unload()
        assert "is unloaded" in str(model.failure)
        assert [sessions.ready for sessions in model.sessions.values()] == [0, 0]
        await model.load()
        assert model.failure is None
        assert [sessions.ready for sessions in model.sessions.values()] == [1, 1]
        model.unload()
        (folder / "model.onnx").unlink()
        with pytest.raises(ModelUnavailableError, match="cannot be loaded now"):
            await model.load()

    asyncio.run(story())


def test_a_file_that_was_replaced_by_one_that_takes_something_else_is_not_loaded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = save(tmp_path, "m", onnx_models.doubling())
    model = load(tmp_path).find("m", None)

    async def story() -> None:
        model.unload()
        (folder / "model.onnx").write_bytes(onnx_models.doubling((None, 4)))
        with pytest.raises(ModelUnavailableError) as failed:
            await model.load()
        assert str(tmp_path) not in str(failed.value)
        (folder / "model.onnx").write_bytes(onnx_models.any_length())
        with pytest.raises(ModelUnavailableError):
            await model.load()
        (folder / "model.onnx").write_bytes(onnx_models.doubling())
        await model.load()

    asyncio.run(story())
    said = [m for m in caplog.messages if "are not those it had when the node started" in m]
    assert len(said) == 2
    assert said[0].startswith(f"{folder / 'model.onnx'}: ")


def test_a_file_that_cannot_be_opened_is_named_by_what_is_wrong(tmp_path: Path) -> None:
    folder = save(tmp_path, "m", onnx_models.doubling())
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").mkdir()
    assert refusal(tmp_path) == f"{folder / 'model.onnx'}: Is a directory"


@pytest.mark.parametrize(
    ("override", "field"),
    [
        (
            ModelOverride(cascade=CascadeConfig(first="1", then="2", output="y", threshold=0.5)),
            "models.m.cascade: inputs",
        ),
        (ModelOverride(default_version="1", shadow=ShadowConfig(version="2")), "shadow: inputs"),
        (
            ModelOverride(split=SplitConfig(weights={"1": 1}), shadow=ShadowConfig(version="2")),
            "models.m.shadow: inputs",
        ),
    ],
)
def test_versions_that_cannot_stand_in_for_each_other_are_named_with_what_they_take(
    tmp_path: Path, override: ModelOverride, field: str
) -> None:
    save(tmp_path, "m", onnx_models.doubling())
    save(tmp_path, "m", onnx_models.image_scores(), version="2")
    message = refusal(tmp_path, NodeConfig(models={"m": override}))
    assert field in message
    assert "version '2' has image FP32, version '1' has x FP32" in message


def test_a_split_and_a_cascade_of_one_model_exclude_each_other(tmp_path: Path) -> None:
    save(tmp_path, "m", onnx_models.doubling())
    cascade = CascadeConfig(first="1", then="1", output="y", threshold=0.5)
    override = ModelOverride(split=SplitConfig(weights={"1": 1}), cascade=cascade)
    message = refusal(tmp_path, NodeConfig(models={"m": override}))
    assert "models.m: split and cascade exclude each other" in message
