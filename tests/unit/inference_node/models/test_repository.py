"""Which models a node holds, which one a request gets, and what keeps a node from starting."""

from pathlib import Path

import pytest

from inference_node.config import ModelOverride, NodeConfig, ServingConfig
from inference_node.errors import StartError, UnknownModelError
from inference_node.models.repository import ModelRepository, load_repository
from tests.unit.inference_node import onnx_models
from tests.unit.inference_node.onnx_models import SCORES, save

NODE_TOML = Path("conf/node.toml")


def load(path: Path, config: NodeConfig | None = None) -> ModelRepository:
    return load_repository(path, config or NodeConfig(), NODE_TOML)


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
        models={"m": ModelOverride(max_batch_size=32, max_queue_delay_microseconds=0)}
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
    config = NodeConfig(models={"m": ModelOverride(max_batch_size=2)})
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
