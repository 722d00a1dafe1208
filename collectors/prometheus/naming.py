"""From labels to names: of a node, and of what its requests are told apart by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collectors.prometheus.node_name import node_id, without_port
from collectors.prometheus.preset import SUCCEEDED, Labels, Outcome

LONGEST = 128

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
        """Return the id of the node named by `parts`."""
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
            error and error[:LONGEST],
        )


def _first(labels: Labels, names: Sequence[str]) -> str | None:
    for name in names:
        if labels.get(name):
            return labels[name][:LONGEST]
    return None
