"""Which version of a model a request goes to: the one it names, or what the node decides."""

from dataclasses import dataclass

import xxhash

from inference_node.access.caller import Caller
from inference_node.config import CascadeConfig, ModelOverride, NodeConfig, SplitConfig
from inference_node.models.repository import Model, ModelRepository
from usage import Route

HASHES = 2**64


@dataclass(frozen=True, slots=True)
class Cascade:
    """Model `then` answers where the first one is not confident enough."""

    then: Model
    output: str
    threshold: float


@dataclass(frozen=True, slots=True)
class Plan:
    """`model` is asked (first, with a cascade); `shadow` executes the same beside, for nobody."""

    model: Model
    route: Route = "direct"
    cascade: Cascade | None = None
    shadow: Model | None = None


class ModelRouting:
    """A request that names a version gets it. For the others a model may have an A/B split or a
    cascade, and a shadow."""

    def __init__(self, repository: ModelRepository, config: NodeConfig) -> None:
        self._repository = repository
        self._adaptive = {
            name: override
            for name, override in config.models.items()
            if override.split or override.shadow or override.cascade
        }
        self._plain: dict[tuple[str | None, str | None], Plan] = {}

    def find(self, name: str | None, version: str | None) -> Model:
        """Return the model of that name and version; raises UnknownModelError."""
        return self._repository.find(name, version)

    def plan(self, name: str | None, version: str | None, caller: Caller, record_id: str) -> Plan:
        """Return what becomes of a request; raises UnknownModelError.

        The same caller and `record_id` always give the same plan.
        """
        plain = self._plain.get((name, version))
        if plain is not None:
            return plain
        model = self._repository.find(name, version)
        override = self._adaptive.get(model.name)
        if version is not None or override is None:
            plan = self._plain[name, version] = Plan(model)
            return plan
        return self._adapted(model, override, caller, record_id)

    def _adapted(
        self, model: Model, override: ModelOverride, caller: Caller, record_id: str
    ) -> Plan:
        route: Route = "direct"
        cascade = None
        if override.split is not None:
            route = "split"
            key = caller.split_key or caller.tenant
            sticky = override.split.sticky_by == "key"
            model = self._repository.find(
                model.name, _drawn(override.split, model.name, key if sticky else record_id)
            )
        elif override.cascade is not None:
            route = "cascade"
            cascade = self._cascade(model.name, override.cascade)
            model = self._repository.find(model.name, override.cascade.first)
        shadow = None
        if override.shadow is not None and _hash("shadow", record_id) < override.shadow.share:
            shadow = self._repository.find(model.name, override.shadow.version)
        return Plan(model, route, cascade, shadow)

    def _cascade(self, name: str, config: CascadeConfig) -> Cascade:
        return Cascade(self._repository.find(name, config.then), config.output, config.threshold)


def _drawn(split: SplitConfig, model: str, key: str) -> str:
    """Return the version that `key` belongs to: versions own ranges as wide as their weights."""
    point = _hash(model, key) * sum(split.weights.values())
    for version, weight in split.weights.items():
        point -= weight
        if point < 0:
            return version
    return next(version for version, weight in split.weights.items() if weight)


def _hash(salt: str, key: str) -> float:
    """Return a number from 0 to below 1 that looks random and is the same for the same key."""
    return xxhash.xxh3_64_intdigest(f"{salt}\0{key}".encode()) / HASHES
