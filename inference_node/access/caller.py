"""Who asks and how urgently: the headers that a usage record keeps of a request."""

from dataclasses import dataclass, field
from typing import TypeVar, get_args

from inference_node.http.messages import Request
from usage import Origin, Priority

PRIORITIES: dict[str, Priority] = {name: name for name in get_args(Priority)}
ORIGINS: dict[str, Origin] = {"live": "live", "replay": "replay"}
MOST_LABELS = 8
LONGEST_NAME = 128

Chosen = TypeVar("Chosen", bound=str)


@dataclass(frozen=True)
class Caller:
    """What headers `x-tenant`, `x-priority`, `x-labels`, `x-origin` and `x-client-region` say."""

    tenant: str = "default"
    priority: Priority = "normal"
    labels: dict[str, str] = field(default_factory=dict)
    origin: Origin = "live"
    client_region: str | None = None


NOBODY = Caller()


def read_caller(request: Request) -> tuple[Caller, list[str]]:
    """Return who sent `request`, and a complaint about every header that cannot be used.

    A complaint names header, value and what is accepted; the caller then has the default there.
    """
    complaints: list[str] = []
    caller = Caller(
        tenant=_name(request, "x-tenant", complaints) or NOBODY.tenant,
        priority=_choice(request, "x-priority", PRIORITIES, complaints) or NOBODY.priority,
        labels=_labels(request.header("x-labels"), complaints),
        origin=_choice(request, "x-origin", ORIGINS, complaints) or NOBODY.origin,
        client_region=_name(request, "x-client-region", complaints),
    )
    return caller, complaints


def _choice(
    request: Request, header: str, accepted: dict[str, Chosen], complaints: list[str]
) -> Chosen | None:
    value = request.header(header)
    if value and value not in accepted:
        complaints.append(f"{header} is {value[:200]!r}; accepted: {', '.join(accepted)}")
    return accepted.get(value or "")


def _name(request: Request, header: str, complaints: list[str]) -> str | None:
    value = request.header(header)
    if value is not None and len(value) > LONGEST_NAME:
        complaints.append(f"{header} has {len(value)} characters; accepted: at most {LONGEST_NAME}")
        return None
    return value or None


def _labels(value: str | None, complaints: list[str]) -> dict[str, str]:
    if not value:
        return {}
    pairs = [pair.partition("=") for pair in value.split(",")]
    labels = {name.strip(): text.strip() for name, _, text in pairs}
    fits = len(pairs) <= MOST_LABELS and all(
        equals and 0 < len(name.strip()) <= LONGEST_NAME and len(text.strip()) <= LONGEST_NAME
        for name, equals, text in pairs
    )
    if not fits:
        complaints.append(
            f"x-labels is {value[:200]!r}; accepted: at most {MOST_LABELS} pairs like "
            f"team=search,project=ranking, names and values of at most {LONGEST_NAME} characters"
        )
        return {}
    return labels
