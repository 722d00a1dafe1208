"""What the contract of the usage record says of each field that a log may fill."""

from types import GenericAlias
from typing import Any, Final, get_type_hints

from msgspec import inspect

from usage import UsageRecord

# Each an annotated type: msgspec holds values to it.
HINTS: Final[dict[str, Any]] = get_type_hints(UsageRecord, include_extras=True)
LIST_HINTS: Final[dict[str, Any]] = {
    name: GenericAlias(list, (hint,)) for name, hint in HINTS.items()
}

# Given by the import itself, or by a table of the map of their own (time, labels).
_GIVEN = frozenset({"schema", "record_id", "boot_id", "seq", "arrived_at_us", "labels"})
CONSTANT_FIELDS: Final = tuple(name for name in UsageRecord.__struct_fields__ if name not in _GIVEN)
# All records of a boot are of one node, by whose gaps in seq lost records are found.
COLUMN_FIELDS: Final = tuple(name for name in CONSTANT_FIELDS if name != "node_id")
DURATION_FIELDS: Final = tuple(name for name in COLUMN_FIELDS if name.endswith("_us"))

# For what a log does not tell. total_us, batch_size and node_id depend on the row or the file.
DEFAULTS: Final[dict[str, Any]] = {
    "origin": "live",
    "model": None,
    "model_version": None,
    "variant": None,
    "tenant": "unknown",
    "labels": {},
    "priority": "normal",
    "pool": "cpu",
    "worker": None,
    "queue_us": 0,
    "compute_us": 0,
    "batch_id": None,
    "cache": "bypass",
    "input_digest": None,
    "request_bytes": 0,
    "response_bytes": 0,
    "items": 1,
    "input_tokens": None,
    "output_tokens": None,
    "client_region": None,
    "status": 200,
    "error": None,
    "route": "direct",
    "parent_id": None,
}


def _types() -> dict[str, inspect.Type]:
    found = inspect.type_info(UsageRecord)
    assert isinstance(found, inspect.StructType)
    return {field.name: field.type for field in found.fields}


_TYPES = _types()


def is_nullable(field: str) -> bool:
    """Tell whether the contract lets `field` be null."""
    return isinstance(_TYPES[field], inspect.UnionType)


def is_integer(field: str) -> bool:
    """Tell whether `field` is a whole number; the others are text."""
    kind = _TYPES[field]
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return any(isinstance(one, inspect.IntType) for one in kinds)


def accepted(field: str) -> str:
    """Return in words what the contract accepts in `field`."""
    return accepted_by(_TYPES[field])


def accepted_by(kind: inspect.Type) -> str:
    """Return in words which values are of `kind`, null left out."""
    if isinstance(kind, inspect.UnionType):
        present = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        return " or ".join(accepted_by(one) for one in present)
    if isinstance(kind, inspect.IntType):
        bounds = "" if kind.ge is None else f" from {kind.ge} to {kind.le}"
        return f"a whole number{bounds}"
    if isinstance(kind, inspect.LiteralType):
        return ", ".join(sorted(str(value) for value in kind.values))
    if isinstance(kind, inspect.StrType) and kind.pattern:
        return f"text of the pattern {kind.pattern}"
    if isinstance(kind, inspect.StrType):
        if kind.max_length is None:
            return "text"
        return f"text of {kind.min_length or 0} to {kind.max_length} characters"
    if isinstance(kind, inspect.ListType):
        return f"a list, each {accepted_by(kind.item_type)}"
    if isinstance(kind, inspect.DictType):
        return f"a table of at most {kind.max_length}"
    raise TypeError(f"{kind} is not understood")
