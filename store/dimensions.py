"""What the rollups are kept by: the combination of labels that requests have in common."""

from collections.abc import Mapping
from typing import NamedTuple

from store.batch import UsageMinute
from usage import UsageRecord


class Dimensions(NamedTuple):
    """One combination; `labels` are sorted by name. `source` is "record" where each request left a
    record and "metrics" where somebody counted them."""

    node_id: str
    boot_id: str
    origin: str
    model: str | None
    model_version: str | None
    variant: str | None
    tenant: str
    labels: tuple[tuple[str, str], ...]
    priority: str
    pool: str
    cache: str
    status: int
    error: str | None
    route: str
    source: str


def of_record(record: UsageRecord) -> Dimensions:
    """Return the dimensions of `record`."""
    return Dimensions(
        record.node_id,
        record.boot_id,
        record.origin,
        record.model,
        record.model_version,
        record.variant,
        record.tenant,
        _sorted(record.labels),
        record.priority,
        record.pool,
        record.cache,
        record.status,
        record.error,
        record.route,
        "record",
    )


def of_minute(minute: UsageMinute) -> Dimensions:
    """Return the dimensions of `minute`."""
    return Dimensions(
        minute.node_id,
        minute.boot_id,
        minute.origin,
        minute.model,
        minute.model_version,
        minute.variant,
        minute.tenant,
        _sorted(minute.labels),
        minute.priority,
        minute.pool,
        minute.cache,
        minute.status,
        minute.error,
        "direct",
        "metrics",
    )


def _sorted(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))
