"""The models a node serves: `<repository>/<model>/<version>/{model.onnx, config.toml}`."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from inference_node.clock import Clock
from inference_node.config import ModelOverride, NodeConfig
from inference_node.errors import ModelUnavailableError, StartError, UnknownModelError
from inference_node.models.config import ModelConfig
from inference_node.models.session import TensorSpec, UsedDevice, usable_device
from inference_node.models.session_pool import SessionPool
from inference_node.models.source import ModelSource, read_source
from inference_node.models.validation import (
    require_alike,
    require_confidence,
    require_known,
)
from inference_node.protocol.signature import Signature

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """One version of a model, whose sessions come from `source`.

    `sessions` are those of every pool of workers that may serve it, by the pool's name.
    """

    name: str
    version: str
    config: ModelConfig
    source: ModelSource
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    sessions: Mapping[str, SessionPool]

    def input(self, name: str) -> TensorSpec | None:
        """Return the input called `name`, None when there is none."""
        return next((spec for spec in self.inputs if spec.name == name), None)

    def output(self, name: str) -> TensorSpec | None:
        """Return the output called `name`, None when there is none."""
        return next((spec for spec in self.outputs if spec.name == name), None)

    @cached_property
    def signature(self) -> Signature:
        """What the protocol knows of its inputs and outputs."""
        return Signature(
            self.name, self.version, self.inputs, self.outputs, self.config.classification
        )

    @property
    def fingerprint(self) -> str:
        """A hash of the file that its sessions are made of, of several while one pool has loaded a
        new file and another one has not: what one file answers is not the other's answer."""
        return "+".join({sessions.fingerprint: None for sessions in self.sessions.values()})

    @property
    def failure(self) -> ModelUnavailableError | None:
        """Why some pool cannot serve it; None while all can, be it after loading it first."""
        failures = (sessions.failure for sessions in self.sessions.values())
        return next((failure for failure in failures if failure is not None), None)

    async def load(self) -> None:
        """Load it in every pool, anew where it is loaded: its file may have been replaced. What is
        loaded serves until then, and on where that fails.

        Raises ModelUnavailableError where it fails.
        """
        await asyncio.gather(*(sessions.load() for sessions in self.sessions.values()))

    def unload(self) -> None:
        """Unload it from every pool, until `load` is called."""
        for sessions in self.sessions.values():
            sessions.unload()


class ModelRepository:
    """Every loaded model. A request that names no version gets the node's default version, or the
    highest when the node's configuration names none. `devices` are what the pools run on, by name.
    """

    def __init__(
        self,
        models: list[Model],
        config: NodeConfig,
        devices: Mapping[str, UsedDevice] | None = None,
    ) -> None:
        self.devices = devices or {}
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


def load_repository(
    path: Path, config: NodeConfig, config_file: Path | None, clock: Clock
) -> ModelRepository:
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
    versions: dict[str, list[str]] = {}
    for folder in folders:
        versions.setdefault(folder.parent.name, []).append(folder.name)
    place = str(config_file)
    require_known(versions, config, place)
    devices = _devices(config, place)
    models = [_load(folder, config, place, devices, clock) for folder in folders]
    repository = ModelRepository(models, config, devices)
    for name, override in config.models.items():
        _require_adaptive(repository, name, override, f"{place}: models.{name}")
    return repository


def _require_adaptive(
    repository: ModelRepository, name: str, override: ModelOverride, place: str
) -> None:
    """Raise StartError where versions are to stand in for each other that cannot."""
    cascade, shadow = override.cascade, override.shadow
    if override.split is not None and cascade is not None:
        raise StartError(f"{place}: split and cascade exclude each other; remove one of them")
    asked = [repository.find(name, None).version]
    if override.split is not None:
        asked = [*override.split.weights]
    elif cascade is not None:
        asked = [cascade.first]
        pair = [repository.find(name, version) for version in (cascade.first, cascade.then)]
        require_confidence(pair[0].outputs, cascade.output, f"{place}.cascade.output")
        require_alike({model.version: model.inputs for model in pair}, f"{place}.cascade: inputs")
        require_alike({model.version: model.outputs for model in pair}, f"{place}.cascade: outputs")
    if shadow is not None:
        models = [repository.find(name, version) for version in (*asked, shadow.version)]
        require_alike({model.version: model.inputs for model in models}, f"{place}.shadow: inputs")


def serving_pools(model: str, config: NodeConfig) -> list[str]:
    """Return the names of the pools that some request to `model` may go to by the rules."""
    names: list[str] = []
    for rule in config.rules:
        if rule.model in (None, model):
            names.append(rule.pool)
            # Whatever else its requests are, none gets past this rule.
            if rule.priority is None and rule.min_items is None and rule.min_input_bytes is None:
                break
    else:
        names.append(next(iter(config.pools)))
    return [name for name in config.pools if name in names]


def _devices(config: NodeConfig, place: str) -> dict[str, UsedDevice]:
    """Return what every pool runs on, decided here for as long as the node lives."""
    devices: dict[str, UsedDevice] = {}
    for name, pool in config.pools.items():
        try:
            devices[name] = usable_device(pool.device)
        except StartError as error:
            raise StartError(f"{place}: pools.{name}: {error}") from error
        logger.info("pool %s: device %s is the %s", name, pool.device, devices[name])
    return devices


def _load(
    folder: Path, config: NodeConfig, place: str, devices: Mapping[str, UsedDevice], clock: Clock
) -> Model:
    name, version = folder.parent.name, folder.name
    source = read_source(folder, config.models.get(name, ModelOverride()), place)
    sessions: dict[str, SessionPool] = {}
    for pool_name in serving_pools(name, config):
        pool, device = config.pools[pool_name], devices[pool_name]
        sessions[pool_name] = SessionPool(
            name,
            version,
            device=device,
            workers=pool.workers,
            scaling=source.config.scaling,
            open_session=partial(source.open, device, pool.threads_per_worker),
            warm_up=source.warm_up,
            clock=clock,
        )
        sessions[pool_name].open_first()
    return Model(name, version, source.config, source, source.inputs, source.outputs, sessions)


def _default_version(versions: dict[str, Model], override: ModelOverride) -> Model:
    if override.default_version is not None:
        return versions[override.default_version]
    return max(versions.values(), key=lambda model: _version_order(model.version))


def _version_order(version: str) -> tuple[int, int, str]:
    return (1, int(version), "") if version.isdecimal() else (0, 0, version)
