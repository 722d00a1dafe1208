"""Who asks and how urgently: the headers that a usage record keeps of a request."""

from dataclasses import dataclass, field
from typing import get_args

from inference_node.errors import InvalidRequestError
from inference_node.http import Request
from usage import Origin, Priority

PRIORITIES: dict[str, Priority] = {name: name for name in get_args(Priority)}
ORIGINS: dict[str, Origin] = {"live": "live", "replay": "replay"}
MOST_LABELS = 8
LONGEST_NAME = 128


@dataclass(frozen=True)
class Caller:
    """What headers `x-tenant`, `x-priority`, `x-labels`, `x-origin` and `x-client-region` say."""

    tenant: str = "default"
    priority: Priority = "normal"
    labels: dict[str, str] = field(default_factory=dict)
    origin: Origin = "live"
    client_region: str | None = None


NOBODY = Caller()


def read_caller(request: Request) -> Caller:
    """Return who sent `request`; raises InvalidRequestError, which names header and value."""
    priority = request.header("x-priority") or "normal"
    if priority not in PRIORITIES:
        raise InvalidRequestError(f"x-priority is {priority!r}; accepted: {', '.join(PRIORITIES)}")
    origin = request.header("x-origin") or "live"
    if origin not in ORIGINS:
        raise InvalidRequestError(f"x-origin is {origin!r}; accepted: {', '.join(ORIGINS)}")
    return Caller(
        tenant=_name(request, "x-tenant") or "default",
        priority=PRIORITIES[priority],
        labels=_labels(request.header("x-labels")),
        origin=ORIGINS[origin],
        client_region=_name(request, "x-client-region"),
    )


def _name(request: Request, header: str) -> str | None:
    value = request.header(header)
    if value is not None and len(value) > LONGEST_NAME:
        raise InvalidRequestError(
            f"{header} has {len(value)} characters; accepted: at most {LONGEST_NAME}"
        )
    return value or None


def _labels(value: str | None) -> dict[str, str]:
    if not value:
        return {}
    pairs = [pair.partition("=") for pair in value.split(",")]
    labels = {name.strip(): text.strip() for name, _, text in pairs}
    fits = len(pairs) <= MOST_LABELS and all(
        equals and 0 < len(name.strip()) <= LONGEST_NAME and len(text.strip()) <= LONGEST_NAME
        for name, equals, text in pairs
    )
    if not fits:
        raise InvalidRequestError(
            f"x-labels is {value[:200]!r}; accepted: at most {MOST_LABELS} pairs like "
            f"team=search,project=ranking, names and values of at most {LONGEST_NAME} characters"
        )
    return labels
