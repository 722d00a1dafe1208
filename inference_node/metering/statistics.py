"""Triton's statistics of each model version, from the tally of usage records."""

from collections import defaultdict
from collections.abc import Mapping
from fractions import Fraction

from inference_node.metering.tally import Group, Sums, Tally, Version
from inference_node.protocol.statistics import (
    BatchStatistics,
    Duration,
    InferenceStatistics,
    ModelStatistics,
)

HITS = ("memory", "disk", "redis", "coalesced")

_Parts = Mapping[tuple[Group, int], Sums]


def statistics(tally: Tally) -> dict[Version, ModelStatistics]:
    """Return the statistics of every model version that the tally has records of.

    `success` and `fail` are requests; `queue` and `compute_infer` those of them that were executed
    and succeeded, with the time of the whole batch for each, as Triton has it. An answer that was
    waited for with an equal request in flight (coalesced) is a cache hit; `cache_hit` takes as long
    as the request, look-ups that miss are not timed. `inference_count`, `execution_count` and
    `batch_stats` are all executions, failed ones and those on behalf of another request included.
    """
    parts: dict[Version, dict[tuple[Group, int], Sums]] = defaultdict(dict)
    for (group, batch_size), sums in tally.sums.items():
        parts[group.of][group, batch_size] = sums
    return {
        version: _of(version, of, tally.last_arrived_at_us[version])
        for version, of in parts.items()
    }


def _of(version: Version, parts: _Parts, last_us: int) -> ModelStatistics:
    success = fail = executed = hit = miss = Sums()
    by_size: dict[int, Sums] = defaultdict(Sums)
    for (group, batch_size), sums in parts.items():
        if batch_size:
            by_size[batch_size] = by_size[batch_size].plus(sums)
        if not group.is_request:
            continue
        if group.succeeded:
            success = success.plus(sums)
            if batch_size:
                executed = executed.plus(sums)
        else:
            fail = fail.plus(sums)
        if group.cache in HITS:
            hit = hit.plus(sums)
        elif group.cache == "miss":
            miss = miss.plus(sums)
    executions = sum((Fraction(s.items, size) for size, s in by_size.items()), Fraction(0))
    return ModelStatistics(
        name=version[0],
        version=version[1],
        last_inference=last_us // 1000,
        inference_count=sum(sums.items for sums in by_size.values()),
        execution_count=int(executions),
        inference_stats=InferenceStatistics(
            success=Duration(success.records, success.total_us * 1000),
            fail=Duration(fail.records, fail.total_us * 1000),
            queue=Duration(executed.records, executed.queue_us * 1000),
            compute_infer=Duration(executed.records, executed.compute_us * 1000),
            cache_hit=Duration(hit.records, hit.total_us * 1000),
            cache_miss=Duration(miss.records, 0),
        ),
        batch_stats=[
            BatchStatistics(
                batch_size=size,
                compute_infer=Duration(sums.items // size, sums.item_us * 1000 // size),
            )
            for size, sums in sorted(by_size.items())
        ],
    )
