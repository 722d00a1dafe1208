"""From what is known of a node to its requests, by minute."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from collectors.prometheus.config import Source
from collectors.prometheus.latency_spread import spread
from collectors.prometheus.naming import Key, Naming, boot_id
from collectors.prometheus.node import Node, minute_of
from collectors.prometheus.preset import CACHE_OUTCOMES, Measure, Preset
from store import UsageMinute


def usage_minutes(
    node: Node, source: Source, preset: Preset, naming: Naming
) -> Iterator[UsageMinute]:
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
        "pool": source.pool or preset.pool,
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
    for measure, outcome in CACHE_OUTCOMES.items():
        count = min(sums[measure], left)
        left -= count
        if count:
            requests[outcome] = count
    if left:
        requests["bypass"] = left
    main = next((cache for cache in ("miss", "bypass", *requests) if cache in requests), "bypass")
    durations: dict[str, Any] = {
        "item_us": sums["worker_us"],
        "queue_us": sums["queue_us"],
        "compute_us": sums["compute_us"],
        "total_us": sums["total_us"],
        "request_bytes": sums["request_bytes"],
        "response_bytes": sums["response_bytes"],
        "input_tokens": sums["input_tokens"],
        "output_tokens": sums["output_tokens"],
        "latency": latency,
    }
    others = {cache: count for cache, count in requests.items() if cache != main}
    items = sums["executed_items"] or sums["items"] - sum(others.values())
    if not requests and not any(durations.values()):
        return
    count = requests.get(main, 0)
    yield {"cache": main, "requests": count, "items": max(items, count), **durations}
    nothing: dict[str, Any] = dict.fromkeys(durations, 0) | {"latency": {}}
    for cache, count in others.items():
        yield {"cache": cache, "requests": count, "items": count, **nothing}
