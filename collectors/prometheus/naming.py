"""From labels to names: of a node, and of what its requests are told apart by.

Names are fit for the store, and as distinct as the labels.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, get_args

from collectors.prometheus.preset import SUCCEEDED, Labels, Outcome
from usage.record import NodeId

# As usage.record has it of names.
LONGEST_NAME: Final = 128
# Of the boot ids of all sources.
NAMESPACE: Final = uuid.UUID("6d1f0b1a-4b57-5c0e-9e0e-0c6d3f5f8a11")

_NODE_ID: Final = re.compile(get_args(NodeId)[1].pattern)
_PORT: Final = re.compile(r":([0-9]{1,5})$")
_PORT_OF_ID: Final = re.compile(r"_[0-9]{1,5}$")
_DIGEST: Final = 16
_LONGEST_ID: Final = 64

Parts = tuple[str, ...]
"""The label values that name a node, one or more."""


class Key(NamedTuple):
    """What requests of a node are told apart by."""

    model: str | None
    version: str | None
    status: int
    error: str | None


@dataclass(frozen=True)
class Naming:
    """Which labels name a node, a model and a version, by preference.

    `renamed` gives nodes another id, by the value of their label (several joined by dots). With
    `per_host` ports are cut off, so that all exporters of a host are one node.
    """

    nodes: Sequence[Parts]
    models: Sequence[str] = ()
    versions: Sequence[str] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    per_host: bool = False

    def parts(self, labels: Labels) -> Parts | None:
        """Return the values that name the node of a series, None where none of the labels is there.

        Those of a renamed node are the one other id.
        """
        for names in self.nodes:
            values = tuple(labels.get(name, "") for name in names)
            if all(values):
                # By the value as it is first, so that one port of several can be named.
                hosts = tuple(map(without_port, values)) if self.per_host else values
                other = self.renamed.get(".".join(values)) or self.renamed.get(".".join(hosts))
                return (other,) if other else hosts
        return None

    def node_id(self, parts: Parts) -> str:
        """Return the id of the node named by `parts`, another name given to it as it is."""
        if len(parts) == 1 and parts[0] in self.renamed.values():
            return parts[0]
        return node_id(parts)

    def key(self, labels: Labels, outcome: Outcome | None) -> Key:
        """Return what the requests of a series are told apart by."""
        status, error = outcome.of(labels) if outcome else SUCCEEDED
        return Key(
            _first(labels, self.models),
            _first(labels, self.versions),
            status,
            error and error[:LONGEST_NAME],
        )


def _first(labels: Labels, names: Sequence[str]) -> str | None:
    for name in names:
        if labels.get(name):
            return labels[name][:LONGEST_NAME]
    return None


def node_id(parts: Sequence[str]) -> str:
    """Return a NodeId for what the label values `parts`, one or more, name together.

    Distinct parts, as many each, have distinct ids, of three kinds: without any underscore, what is
    a NodeId as it is, several parts joined by dots; with one before the digits of a port,
    `host:port`; with one before 16 hex digits of a digest, everything else.
    """
    joined = ".".join(parts)
    # Dots within a part would leave open where one ends; the last one ends where all does.
    plain = "_" not in joined and not any("." in part for part in parts[:-1])
    # $ of a pattern lets a newline pass.
    if plain and _NODE_ID.fullmatch(joined):
        return joined
    if plain:
        ported = _PORT.sub(r"_\1", joined)
        if _NODE_ID.fullmatch(ported):
            return ported
    exact = "\0".join(parts).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(exact).hexdigest()[:_DIGEST]
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", joined).strip(".-") or "node"
    return f"{readable[: _LONGEST_ID - _DIGEST - 1]}_{digest}"


def without_port(instance: str) -> str:
    """Return the host of `host:port` or `[address]:port`; another text as it is."""
    host = _PORT.sub("", instance)
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1]
    # More colons: an IPv6 address without a port, of which nothing is to be cut off.
    return instance if ":" in host else host


def host_of(name: str) -> str:
    """Return the part of a node id that several exporters of one machine have in common."""
    return _PORT_OF_ID.sub("", name)


def boot_id(source: str, node: str) -> str:
    """Return the boot id of the node with id `node` as `source` (its name) tells of it.

    Always the same one: Prometheus does not tell when a machine was started.
    """
    return str(uuid.uuid5(NAMESPACE, f"{source}\n{node}"))
