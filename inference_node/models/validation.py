"""Configuration against configuration and against models: what cannot fit keeps a node from
starting, with file, field, value and what is accepted."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from inference_node.config import ModelOverride, NodeConfig
from inference_node.errors import StartError
from inference_node.models.config import ModelConfig
from inference_node.models.session import TensorSpec

FLOATS = ("FP16", "FP32", "FP64")


def require_known(versions: Mapping[str, Sequence[str]], config: NodeConfig, place: str) -> None:
    """Raise StartError where the node's configuration, read from `place`, names a pool, model or
    version that is not there; `versions` are those of every model of the repository."""
    named = {f"models.{name}": name for name in config.models}
    if config.serving.default_model is not None:
        named["serving.default_model"] = config.serving.default_model
    for number, rule in enumerate(config.rules, 1):
        if rule.pool not in config.pools:
            raise StartError(
                f"{place}: rules: pool of rule {number}: no pool {rule.pool!r}; "
                f"accepted: {', '.join(config.pools)}"
            )
        if rule.model is not None:
            named[f"rules: model of rule {number}"] = rule.model
    for field, name in named.items():
        if name not in versions:
            known = ", ".join(versions)
            raise StartError(f"{place}: {field}: no model {name!r}; the repository holds: {known}")
    for name, override in config.models.items():
        for field, version in _named_versions(override):
            if version not in versions[name]:
                known = ", ".join(versions[name])
                raise StartError(
                    f"{place}: models.{name}.{field}: no version {version!r}; "
                    f"the repository holds: {known}"
                )
        if override.split is not None and not sum(override.split.weights.values()):
            raise StartError(
                f"{place}: models.{name}.split.weights: the sum is 0; accepted: above 0"
            )


def _named_versions(override: ModelOverride) -> Iterator[tuple[str, str]]:
    if override.default_version is not None:
        yield "default_version", override.default_version
    if override.split is not None:
        for version in override.split.weights:
            yield "split.weights", version
    if override.shadow is not None:
        yield "shadow.version", override.shadow.version
    if override.cascade is not None:
        yield "cascade.first", override.cascade.first
        yield "cascade.then", override.cascade.then


def require_consistent(config: ModelConfig, batching_place: str, scaling_place: str) -> None:
    """Raise StartError where two settings of a model contradict each other.

    The places name the file, and where the tables are within it.
    """
    batching, scaling = config.batching, config.scaling
    levels, limit = batching.priority_levels, batching.max_batch_size
    if batching.default_priority_level > levels:
        raise StartError(
            f"{batching_place}.default_priority_level is {batching.default_priority_level}; "
            f"accepted: at most priority_levels, {levels}"
        )
    accepted = [str(level) for level in range(1, levels + 1)]
    for level in batching.priority_queue_policy:
        if level not in accepted:
            raise StartError(
                f"{batching_place}.priority_queue_policy: no level {level!r}; "
                f"accepted: 1 to priority_levels, {levels}"
            )
    for size in batching.preferred_batch_size:
        if size > limit:
            raise StartError(
                f"{batching_place}.preferred_batch_size holds {size}; "
                f"accepted: at most max_batch_size, {limit}"
            )
    if scaling.max_sessions is not None and scaling.min_sessions > scaling.max_sessions:
        raise StartError(
            f"{scaling_place}.min_sessions is {scaling.min_sessions}; "
            f"accepted: at most max_sessions, {scaling.max_sessions}"
        )


def require_fit(
    inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], config: ModelConfig, folder: Path
) -> None:
    """Raise StartError where the configuration speaks of something that the model has not."""
    image, classes = config.image, config.classification
    path, limit = folder / "config.toml", config.batching.max_batch_size
    if not inputs:
        raise StartError(f"{folder / 'model.onnx'}: the model has no input")
    # A batch of one may also go through a model that is made for one item and no other number.
    for spec in inputs if limit == 1 else (*inputs, *outputs):
        if not spec.shape or (spec.shape[0] != -1 and (limit, spec.shape[0]) != (1, 1)):
            raise StartError(
                f"{path}: batching.max_batch_size is {limit}, but {spec.name} has shape "
                f"{list(spec.shape)}; its first axis must be of any length"
            )
    if image is not None:
        wanted = TensorSpec(image.input, "FP32", (-1, image.channels, image.height, image.width))
        [found, *others] = inputs
        if others or replace(found, shape=(-1, *found.shape[1:])) != wanted:
            raise StartError(f"{path}: image needs {wanted}; the model takes {inputs}")
    if classes is not None:
        output = next((spec for spec in outputs if spec.name == classes.output), None)
        if output is None or math.prod(output.shape[1:]) != len(classes.labels):
            raise StartError(
                f"{path}: classification.output {classes.output!r} with {len(classes.labels)} "
                f"labels does not fit; the model has {outputs}"
            )


def require_confidence(outputs: Sequence[TensorSpec], wanted: str, place: str) -> None:
    """Raise StartError unless `wanted` is an output with numbers that a threshold can be set for;
    `outputs` are those of a cascade's first version, `place` names file and field."""
    fitting = [spec.name for spec in outputs if spec.datatype in FLOATS]
    if wanted not in fitting:
        known = ", ".join(fitting) or "none of its outputs"
        raise StartError(
            f"{place}: the first version has no output {wanted!r} of type {' or '.join(FLOATS)}; "
            f"accepted: {known}"
        )


def require_alike(versions: Mapping[str, Sequence[TensorSpec]], place: str) -> None:
    """Raise StartError unless all `versions` have the same names and datatypes of these tensors.

    Who shadows another version, or answers for one, is handed what that one was asked. Whether the
    shapes of a request fit shows when it is executed. `place` names file and field.
    """
    (first, expected), *others = versions.items()
    for version, tensors in others:
        if _names(tensors) != _names(expected):
            raise StartError(
                f"{place}: version {version!r} has {_names(tensors)}, version {first!r} has "
                f"{_names(expected)}; accepted: the same names and datatypes"
            )


def _names(tensors: Sequence[TensorSpec]) -> str:
    return ", ".join(sorted(f"{spec.name} {spec.datatype}" for spec in tensors))
