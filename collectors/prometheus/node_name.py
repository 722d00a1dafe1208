"""Names for what Prometheus knows by labels: fit for the store, and as distinct as the labels."""

import hashlib
import re
import uuid
from collections.abc import Sequence
from typing import Final, get_args

from usage.record import NodeId

# Of the boot ids of all sources.
NAMESPACE: Final = uuid.UUID("6d1f0b1a-4b57-5c0e-9e0e-0c6d3f5f8a11")

_NODE_ID: Final = re.compile(get_args(NodeId)[1].pattern)
_PORT: Final = re.compile(r":([0-9]{1,5})$")
_PORT_OF_ID: Final = re.compile(r"_[0-9]{1,5}$")
_DIGEST: Final = 16
_LONGEST: Final = 64


def node_id(parts: Sequence[str]) -> str:
    """Return a NodeId for what the label values `parts`, one or more, name together.

    Distinct parts have distinct ids, of three kinds: without any underscore, what is a NodeId as it
    is, several parts joined by dots; with one before the digits of a port, `host:port`; with one
    before 16 hex digits of a digest, everything else.
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
    return f"{readable[: _LONGEST - _DIGEST - 1]}_{digest}"


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
