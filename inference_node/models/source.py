"""The folder of one model version: its configuration, and where its sessions come from."""

from pathlib import Path
from typing import TypeVar

from msgspec import Struct, ValidationError, convert, structs, to_builtins

from inference_node.config import ModelOverride
from inference_node.errors import StartError
from inference_node.models.config import (
    BatchingConfig,
    ModelConfig,
    ResponseCacheConfig,
    ScalingConfig,
)
from inference_node.models.session import Session, TensorSpec, UsedDevice
from inference_node.models.validation import require_consistent, require_fit
from inference_node.models.warm_up import warm_up
from inference_node.toml_file import read_toml

Table = TypeVar("Table", bound=Struct)


class ModelSource:
    """Opens sessions of the model in `folder`. `inputs` and `outputs` are known from the first on,
    and every later one must have the same: the file may have been replaced meanwhile."""

    def __init__(self, folder: Path, config: ModelConfig) -> None:
        self.config = config
        self.inputs: list[TensorSpec] = []
        self.outputs: list[TensorSpec] = []
        self._folder = folder

    def open(self, device: UsedDevice, threads: int) -> Session:
        """Return a session that is not warm yet; raises StartError."""
        path = self._folder / "model.onnx"
        session = Session(path, device=device, threads=threads)
        if not self.inputs:
            require_fit(session.inputs, session.outputs, self.config, self._folder)
            self.inputs, self.outputs = session.inputs, session.outputs
        elif (session.inputs, session.outputs) != (self.inputs, self.outputs):
            raise StartError(
                f"{path}: its inputs or outputs are not those it had when the node started; "
                "accepted: the same ones, or another start of the node"
            )
        return session

    def warm_up(self, session: Session) -> None:
        """Execute `session` once."""
        label = f"{self._folder.parent.name} version {self._folder.name}"
        warm_up(session, self.config.image, label)


def read_source(folder: Path, override: ModelOverride, place: str) -> ModelSource:
    """Return the model version in `folder`, configured by its config.toml and by `override`, which
    was read from `place`. Raises StartError, which names file and field."""
    file, place = folder / "config.toml", f"{place}: models.{folder.parent.name}"
    config = _overridden(read_toml(file, ModelConfig), override, place)
    require_consistent(
        config,
        batching_place=f"{place}.batching" if override.batching else f"{file}: batching",
        scaling_place=f"{place}.scaling" if override.scaling else f"{file}: scaling",
    )
    return ModelSource(folder, config)


def _overridden(own: ModelConfig, override: ModelOverride, place: str) -> ModelConfig:
    """Return `own` with the keys that the node's configuration sets; raises StartError."""

    def merged(table: str, kind: type[Table], default: Table) -> Table:
        given: dict[str, object] = getattr(override, table)
        try:
            return convert({**to_builtins(default), **given}, kind)
        except ValidationError as error:
            raise StartError(f"{place}.{table}: {error}") from error

    return structs.replace(
        own,
        batching=merged("batching", BatchingConfig, own.batching),
        scaling=merged("scaling", ScalingConfig, own.scaling),
        response_cache=merged("response_cache", ResponseCacheConfig, own.response_cache),
    )
