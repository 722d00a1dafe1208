"""Who asks and how urgently: the headers that a usage record keeps of a request."""

from typing import Protocol, TypeVar, get_args

from msgspec import Struct, field

from inference_node.access.tokens import Identity
from inference_node.errors import ForbiddenError, InvalidRequestError, RequestError
from usage import Origin, Priority

PRIORITIES: dict[str, Priority] = {name: name for name in get_args(Priority)}
ORIGINS: dict[str, Origin] = {"live": "live", "replay": "replay"}
MOST_LABELS = 8
LONGEST_NAME = 128

Chosen = TypeVar("Chosen", bound=str)


class Caller(Struct, frozen=True):
    """What headers `x-tenant`, `x-priority`, `x-labels`, `x-origin`, `x-client-region` and
    `x-split-key` say. With tokens the tenant is the token's. A `split_key` of None is the tenant.
    `admin` is whether the caller may do what takes an administrator: without tokens, everybody.
    """

    tenant: str = "default"
    priority: Priority = "normal"
    labels: dict[str, str] = field(default_factory=dict)
    origin: Origin = "live"
    client_region: str | None = None
    split_key: str | None = None
    admin: bool = False


NOBODY = Caller(admin=True)


class Headers(Protocol):
    """What is asked of a request here."""

    def header(self, name: str) -> str | None:
        """Return the value of header `name` (lower case), None when it is absent."""


def read_caller(
    request: Headers, identity: Identity | None = None
) -> tuple[Caller, RequestError | None]:
    """Return who sent `request`, and the error for its headers if any cannot be used.

    `identity` is whom its token stands for, None where none is asked for. The error names header,
    value and what is accepted, of every wrong header; the caller then has the default there. It is
    a ForbiddenError where `x-tenant` is not the tenant of the token, else an InvalidRequestError.
    """
    header = request.header
    tenant = header("x-tenant")
    priority = header("x-priority")
    labels = header("x-labels")
    origin = header("x-origin")
    region = header("x-client-region")
    split_key = header("x-split-key")
    own = NOBODY.tenant if identity is None else identity.tenant
    # Most requests say nothing, and each of them passes here.
    if not (tenant or priority or labels or origin or region or split_key):
        return (NOBODY if identity is None else Caller(own, admin=identity.admin)), None
    complaints: list[str] = []
    named = _name("x-tenant", tenant, complaints)
    caller = Caller(
        tenant=named or own if identity is None else own,
        priority=_choice("x-priority", priority, PRIORITIES, complaints) or NOBODY.priority,
        labels=_labels(labels, complaints),
        origin=_choice("x-origin", origin, ORIGINS, complaints) or NOBODY.origin,
        client_region=_name("x-client-region", region, complaints),
        split_key=_name("x-split-key", split_key, complaints),
        admin=identity is None or identity.admin,
    )
    if identity is not None and tenant and tenant != own:
        return caller, ForbiddenError(
            f"x-tenant is {tenant[:LONGEST_NAME]!r}; accepted: none, or the token's own, {own!r}"
        )
    return caller, InvalidRequestError("; ".join(complaints)) if complaints else None


def _choice(
    header: str, value: str | None, accepted: dict[str, Chosen], complaints: list[str]
) -> Chosen | None:
    if value and value not in accepted:
        complaints.append(f"{header} is {value[:200]!r}; accepted: {', '.join(accepted)}")
    return accepted.get(value or "")


def _name(header: str, value: str | None, complaints: list[str]) -> str | None:
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
