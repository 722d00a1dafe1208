"""The lines of the spool that say what became of the requests of a run."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from simulator.history.boots import Boot
from simulator.history.drawing import versions_of
from simulator.history.serving import OUTCOMES, Served
from simulator.history.story import Story
from simulator.workload import Integers
from usage import LineTemplate, UsageRecord

# What the lines of one kind of request differ in.
_ALWAYS = (
    "record_id", "seq", "arrived_at_us", "queue_us", "compute_us", "total_us", "batch_size",
    "input_digest", "request_bytes", "response_bytes", "items",
)  # fmt: skip
_EXECUTED = ("worker", "batch_id")
_TOKENS = ("input_tokens", "output_tokens")


def new_ids(rng: np.random.Generator, at_us: Integers) -> list[str]:
    """Return a UUIDv7 for each of these instants (RFC 9562, section 5.7)."""
    milliseconds = at_us // 1000
    random = rng.integers(0, 2**62, len(at_us))
    columns = (
        milliseconds >> 16,
        milliseconds & 0xFFFF,
        0x7000 | rng.integers(0, 2**12, len(at_us)),
        0x8000 | (random >> 48),
        random & (2**48 - 1),
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return list(map("%08x-%04x-%04x-%04x-%012x".__mod__, rows))


def record_lines(
    story: Story, boot: Boot, boot_id: str, served: Served, rng: np.random.Generator
) -> list[str]:
    """Return the line of each request, with its newline, in the order of their answers."""
    requests, runs = served.requests, served.executions
    executed = runs.batch_id > 0
    columns = {
        "seq": np.arange(1, len(requests) + 1),
        "worker": runs.worker,
        "arrived_at_us": requests.arrived_us,
        "queue_us": served.queue_us,
        "compute_us": runs.compute_us,
        "total_us": served.total_us,
        "batch_id": runs.batch_id,
        "batch_size": runs.batch_size,
        "input_digest": _digests(story, served),
        "request_bytes": requests.request_bytes,
        "response_bytes": requests.response_bytes,
        "items": requests.items,
        "input_tokens": requests.input_tokens,
        "output_tokens": requests.output_tokens,
    }
    values: dict[str, Sequence[int] | Sequence[str]] = {
        "record_id": new_ids(rng, requests.arrived_us),
        **{name: column.tolist() for name, column in columns.items()},
    }
    lines = [""] * len(requests)
    kind = np.ravel_multi_index(
        (
            requests.stream,
            requests.version,
            requests.priority,
            requests.client_region,
            served.outcome,
        ),
        (len(story.streams), len(versions_of(story)), 8, 64, len(OUTCOMES)),
    )
    order = np.argsort(kind, kind="stable")
    starts = np.flatnonzero(np.diff(kind[order], prepend=-1))
    for places in np.split(order, starts[1:]) if len(order) else ():
        template = _template(
            story, boot, boot_id, served, int(places[0]), bool(executed[places[0]])
        )
        chosen = places.tolist()
        rows = {name: [values[name][place] for place in chosen] for name in template.varying}
        for place, line in zip(chosen, template.lines(rows), strict=True):
            lines[place] = line
    return lines


def _template(
    story: Story, boot: Boot, boot_id: str, served: Served, place: int, executed: bool
) -> LineTemplate:
    """Return the template of the requests that are of the same kind as the one at `place`."""
    requests = served.requests
    stream = story.streams[requests.stream[place]]
    version = versions_of(story)[requests.version[place]]
    cache, status, error = OUTCOMES[served.outcome[place]]
    example = UsageRecord(
        record_id=boot_id,
        node_id=boot.node.node_id,
        boot_id=boot_id,
        seq=1,
        origin="simulated",
        model=version.model,
        model_version=version.version,
        variant=version.variant,
        tenant=stream.tenant,
        labels=dict(stream.labels),
        priority=stream.priorities[requests.priority[place]][0],
        pool=boot.node.pool if executed else "cpu",
        worker=None,
        arrived_at_us=boot.ready_us,
        queue_us=0,
        compute_us=0,
        total_us=0,
        batch_id=None,
        batch_size=0,
        cache=cache,
        input_digest=None,
        request_bytes=0,
        response_bytes=0,
        items=1,
        input_tokens=None,
        output_tokens=None,
        client_region=stream.client_regions[requests.client_region[place]][0],
        status=status,
        error=error,
    )
    varying = (
        *_ALWAYS,
        *(_EXECUTED if executed else ()),
        *(_TOKENS if stream.tokens is not None else ()),
    )
    return LineTemplate(example, varying)


def _digests(story: Story, served: Served) -> Integers:
    """Return 64 bits for each input: the same for the same key of the same model, and well mixed.

    The mixing is that of SplitMix64 (Steele, Lea and Flood, Fast splittable pseudorandom number
    generators, OOPSLA 2014).
    """
    salts = np.array([_salt(version.model) for version in versions_of(story)], np.uint64)
    mixed = salts[served.requests.version] + served.requests.key.astype(np.uint64) * np.uint64(
        0x9E3779B97F4A7C15
    )
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    found: Integers = mixed ^ (mixed >> np.uint64(31))
    return found


def _salt(model: str) -> int:
    return int.from_bytes(blake2b(model.encode(), digest_size=8).digest())
