"""From what is known of a node to its requests, by minute."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Final

from collectors.prometheus.config import Source
from collectors.prometheus.latency_spread import spread
from collectors.prometheus.naming import Key, Naming
from collectors.prometheus.node import Node, minute_of
from collectors.prometheus.node_name import boot_id
from collectors.prometheus.preset import Measure
from store import UsageMinute

_OUTCOMES: Final[dict[Measure, str]] = {
    "cache_memory": "memory",
    "cache_disk": "disk",
    "cache_redis": "redis",
    "cache_coalesced": "coalesced",
    "cache_miss": "miss",
}
_EXECUTED: Final = ("miss", "bypass")


def usage_minutes(node: Node, source: Source, pool: str, naming: Naming) -> Iterator[UsageMinute]:
    """Yield the requests of `node` by minute and by what tells them apart.

    `item_us` is time of workers, with batch_size 1: an exporter does not tell sizes of batches, and
    what divides to the same is the same.
    """
    sums: dict[tuple[int, Key], Counter[Measure]] = defaultdict(Counter)
    for (at_us, key), increases in node.increases.items():
        sums[minute_of(at_us), key].update(increases)
    name = naming.node_id(node.parts)
    common: dict[str, Any] = {
        "node_id": name,
        "boot_id": boot_id(source.name, name),
        "pool": source.pool or pool,
        "tenant": source.tenant,
        "labels": source.labels,
    }
    for minute_us, key in sorted(sums.keys() | node.latencies.keys(), key=str):
        latency = spread(node.latencies.get((minute_us, key), {}))
        for told in _by_cache(sums[minute_us, key], latency):
            yield UsageMinute(
                minute_us=minute_us,
                model=key.model,
                model_version=key.version,
                status=key.status,
                error=key.error,
                **common,
                **told,
            )


def _by_cache(sums: Counter[Measure], latency: dict[int, int]) -> Iterator[dict[str, Any]]:
    """Yield the requests by what the cache had for them.

    Exporters count that apart from everything else: durations, and what is left of the items, go
    with requests that were executed, where there are any.
    """
    left = sums["requests"]
    requests: dict[str, int] = {}
    for measure, outcome in _OUTCOMES.items():
        count = min(sums[measure], left)
        left -= count
        if count:
            requests[outcome] = count
    if left:
        requests["bypass"] = left
    main = next((outcome for outcome in _EXECUTED if requests.get(outcome)), None)
    main = main or next(iter(requests), "bypass")
    durations = {
        "item_us": sums["worker_us"],
        "queue_us": sums["queue_us"],
        "compute_us": sums["compute_us"],
        "total_us": sums["total_us"],
        "request_bytes": sums["request_bytes"],
        "response_bytes": sums["response_bytes"],
        "latency": latency,
    }
    others = sum(count for outcome, count in requests.items() if outcome != main)
    items = sums["executed_items"] or sums["items"] - others
    if any(durations.values()) or requests:
        for outcome in {main: None, **requests}:
            count = requests.get(outcome, 0)
            is_main = outcome == main
            yield {
                "cache": outcome,
                "requests": count,
                "items": max(items, count) if is_main else count,
                **(durations if is_main else dict.fromkeys(durations, 0) | {"latency": {}}),
            }
