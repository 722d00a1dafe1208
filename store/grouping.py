"""By what requests may be told apart in a breakdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class By(StrEnum):
    """A dimension of a request, or of the machine that served it."""

    MODEL = "model"
    MODEL_VERSION = "model_version"
    VARIANT = "variant"
    TENANT = "tenant"
    CLOUD = "cloud"
    REGION = "region"
    INSTANCE_TYPE = "instance_type"
    PURCHASE_OPTION = "purchase_option"
    POOL = "pool"
    PRIORITY = "priority"
    CACHE = "cache"
    ORIGIN = "origin"
    ROUTE = "route"
    NODE = "node_id"
    STATUS = "status"
    ERROR = "error"


@dataclass(frozen=True)
class ByLabel:
    """The value of the label `name`."""

    name: str


Grouping = By | ByLabel

Key = tuple[str | None, ...]
"""One value for each grouping, as text; None where there is none."""


def key_columns(by: Sequence[Grouping]) -> tuple[list[str], dict[str, object]]:
    """Return the columns key_0, key_1 ... of `dimension_set` joined with `boot`, and parameters."""
    columns, bound = [], {}
    for number, grouping in enumerate(by):
        if isinstance(grouping, ByLabel):
            bound[f"by_{number}"] = grouping.name
            columns.append(f"labels[$by_{number}] AS key_{number}")
        else:
            columns.append(f"{By(grouping).value}::VARCHAR AS key_{number}")
    return columns, dict(bound)


def key_names(by: Sequence[Grouping]) -> list[str]:
    """Return the names of `key_columns`."""
    return [f"key_{number}" for number in range(len(by))]


def key_order(key: Key) -> tuple[tuple[bool, str], ...]:
    """Return what to sort keys by: by value, and last what has none."""
    return tuple((value is None, value or "") for value in key)
