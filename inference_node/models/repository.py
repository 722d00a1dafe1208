"""The models a node serves: `<repository>/<model>/<version>/{model.onnx, config.toml}`."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from inference_node.config import Microseconds, ModelOverride, NodeConfig, Positive
from inference_node.errors import StartError, UnknownModelError
from inference_node.models.session import Session, TensorSpec
from inference_node.toml_file import read_toml
from usage.record import Name


class BatchingConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Dynamic batching under Triton's names; the delay runs from the arrival of the first."""

    max_batch_size: Positive = 1
    max_queue_delay_microseconds: Microseconds = 0


class ImageConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an image becomes input `input`: resized, channels first, pixel values times `scale`."""

    input: Name
    width: Annotated[int, Meta(ge=1, le=4096)]
    height: Annotated[int, Meta(ge=1, le=4096)]
    channels: Literal[1, 3]
    scale: Annotated[float, Meta(gt=0, le=1e6)] = 1 / 255


class ClassificationConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Output `output` holds one probability for each of `labels`."""

    output: Name
    labels: Annotated[tuple[Name, ...], Meta(min_length=1)]


class ModelConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`config.toml` of one model version; `variant` names its number format."""

    variant: Name
    batching: BatchingConfig = BatchingConfig()
    image: ImageConfig | None = None
    classification: ClassificationConfig | None = None


@dataclass(frozen=True)
class Model:
    """One loaded version of a model."""

    name: str
    version: str
    config: ModelConfig
    session: Session

    def input(self, name: str) -> TensorSpec | None:
        """Return the input called `name`, None when there is none."""
        return next((spec for spec in self.session.inputs if spec.name == name), None)

    def output(self, name: str) -> TensorSpec | None:
        """Return the output called `name`, None when there is none."""
        return next((spec for spec in self.session.outputs if spec.name == name), None)


class ModelRepository:
    """Every loaded model. A request that names no version gets the node's default version, or the
    highest when the node's configuration names none."""

    def __init__(self, models: list[Model], config: NodeConfig) -> None:
        self._versions: dict[str, dict[str, Model]] = {}
        for model in models:
            self._versions.setdefault(model.name, {})[model.version] = model
        self._default = {
            name: _default_version(versions, config.models.get(name, ModelOverride()))
            for name, versions in self._versions.items()
        }
        self._default_model = config.serving.default_model
        if self._default_model is None and len(self._versions) == 1:
            self._default_model = next(iter(self._versions))

    def models(self) -> Iterator[Model]:
        """Yield every loaded model version."""
        for versions in self._versions.values():
            yield from versions.values()

    def versions(self, name: str) -> list[str]:
        """Return the loaded versions of model `name`, none when it is unknown."""
        return list(self._versions.get(name, ()))

    def find(self, name: str | None, version: str | None) -> Model:
        """Return the model of that name and version, None for the default of either.

        Raises UnknownModelError, which names what is there.
        """
        if name is None:
            name = self._default_model
        if name is None:
            known = ", ".join(self._versions)
            raise UnknownModelError(f"no model named; this node has no default, it holds: {known}")
        if name not in self._versions:
            known = ", ".join(self._versions)
            raise UnknownModelError(f"unknown model {name!r}; this node holds: {known}")
        versions = self._versions[name]
        found = self._default[name] if version is None else versions.get(version)
        if found is None:
            known = ", ".join(versions)
            raise UnknownModelError(
                f"unknown version {version!r} of model {name!r}; this node holds: {known}"
            )
        return found


def load_repository(path: Path, config: NodeConfig, config_file: Path | None) -> ModelRepository:
    """Load every model version under `path`; `config` was read from `config_file`.

    Raises StartError, which names the file and the field, when one is missing or wrong: a node
    serves all it was given or does not start.
    """
    if not path.is_dir():
        raise StartError(f"{path}: no such folder; a model repository is required")
    folders = sorted(
        version
        for model in path.iterdir()
        if model.is_dir() and not model.name.startswith(".")
        for version in model.iterdir()
        if version.is_dir() and not version.name.startswith(".")
    )
    if not folders:
        raise StartError(f"{path}: holds no model; expected <model>/<version>/model.onnx")
    _require_known(folders, config, config_file)
    return ModelRepository([_load(folder, config) for folder in folders], config)


def _require_known(folders: list[Path], config: NodeConfig, file: Path | None) -> None:
    """Raise StartError where the node's configuration names a model or version of no folder."""
    versions: dict[str, list[str]] = {}
    for folder in folders:
        versions.setdefault(folder.parent.name, []).append(folder.name)
    named = {f"models.{name}": name for name in config.models}
    if config.serving.default_model is not None:
        named["serving.default_model"] = config.serving.default_model
    for field, name in named.items():
        if name not in versions:
            known = ", ".join(versions)
            raise StartError(f"{file}: {field}: no model {name!r}; the repository holds: {known}")
    for name, override in config.models.items():
        version = override.default_version
        if version is not None and version not in versions[name]:
            known = ", ".join(versions[name])
            raise StartError(
                f"{file}: models.{name}.default_version: no version {version!r}; "
                f"the repository holds: {known}"
            )


def _load(folder: Path, config: NodeConfig) -> Model:
    name, version = folder.parent.name, folder.name
    own = read_toml(folder / "config.toml", ModelConfig)
    override = config.models.get(name, ModelOverride())
    batching = BatchingConfig(
        max_batch_size=override.max_batch_size or own.batching.max_batch_size,
        max_queue_delay_microseconds=own.batching.max_queue_delay_microseconds
        if override.max_queue_delay_microseconds is None
        else override.max_queue_delay_microseconds,
    )
    session = Session(folder / "model.onnx", threads=config.serving.threads_per_worker)
    model = Model(name, version, structs.replace(own, batching=batching), session)
    _require_fit(model, folder / "config.toml")
    return model


def _require_fit(model: Model, path: Path) -> None:
    """Raise StartError where the configuration speaks of something that the model has not."""
    image, classes = model.config.image, model.config.classification
    session, limit = model.session, model.config.batching.max_batch_size
    if not session.inputs:
        raise StartError(f"{path.with_name('model.onnx')}: the model has no input")
    # A batch of one may also go through a model that is made for one item and no other number.
    for spec in session.inputs if limit == 1 else (*session.inputs, *session.outputs):
        if not spec.shape or (spec.shape[0] != -1 and (limit, spec.shape[0]) != (1, 1)):
            raise StartError(
                f"{path}: batching.max_batch_size is {limit}, but {spec.name} has shape "
                f"{list(spec.shape)}; its first axis must be of any length"
            )
    if image is not None:
        wanted = TensorSpec(image.input, "FP32", (-1, image.channels, image.height, image.width))
        [found, *others] = session.inputs
        if others or replace(found, shape=(-1, *found.shape[1:])) != wanted:
            raise StartError(f"{path}: image needs {wanted}; the model takes {session.inputs}")
    if classes is not None:
        output = model.output(classes.output)
        if output is None or math.prod(output.shape[1:]) != len(classes.labels):
            raise StartError(
                f"{path}: classification.output {classes.output!r} with {len(classes.labels)} "
                f"labels does not fit; the model has {model.session.outputs}"
            )


def _default_version(versions: dict[str, Model], override: ModelOverride) -> Model:
    if override.default_version is not None:
        return versions[override.default_version]
    return max(versions.values(), key=lambda model: _version_order(model.version))


def _version_order(version: str) -> tuple[int, int, str]:
    return (1, int(version), "") if version.isdecimal() else (0, 0, version)
