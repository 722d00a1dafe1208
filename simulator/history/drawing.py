"""The requests of a stream, drawn by chance: everything about them but what becomes of them."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from simulator.history.rhythm import arrivals
from simulator.history.story import Story, Stream, Version
from simulator.population import by_weight, zipf_keys
from simulator.workload import Floats, Integers

# What becomes of a request if nothing else does.
ANSWERED, FAILING, INVALID = 0, 1, 2
# Beside the seed, so that no two kinds of chance are the same.
ASKED = 1


@dataclass(frozen=True)
class Requests:
    """n requests in order of arrival, as arrays of shape [n].

    `stream` and `node` are places in the story's streams and nodes, `version` in
    `versions_of(story)`, `priority` and `client_region` in those of the stream. `work` is relative
    to the median time of the version, `fate` one of the three above. Tokens are 0 where there are
    none.
    """

    arrived_us: Integers
    stream: Integers
    version: Integers
    node: Integers
    priority: Integers
    client_region: Integers
    key: Integers
    items: Integers
    work: Floats
    fate: Integers
    input_tokens: Integers
    output_tokens: Integers
    request_bytes: Integers
    response_bytes: Integers

    def __len__(self) -> int:
        return len(self.arrived_us)

    def at(self, places: Integers) -> Self:
        """Return the requests at `places`, in that order."""
        columns = {
            field.name: getattr(self, field.name)[places] for field in dataclasses.fields(self)
        }
        return dataclasses.replace(self, **columns)


def versions_of(story: Story) -> tuple[Version, ...]:
    """Return every version that any stream ever asks for, each once."""
    found = [
        version
        for stream in story.streams
        for phase in stream.phases
        for version, _ in phase.weights
    ]
    return tuple(dict.fromkeys(found))


def draw(story: Story, seed: int, began_us: int, from_us: int, to_us: int) -> Requests:
    """Return the requests of all streams that arrive in [`from_us`, `to_us`), by arrival.

    The same arguments give the same requests.
    """
    parts = [
        _draw_stream(story, number, seed, began_us, from_us, to_us)
        for number in range(len(story.streams))
    ]
    joined = Requests(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in dataclasses.fields(Requests)
        }
    )
    return joined.at(np.argsort(joined.arrived_us, kind="stable"))


def _draw_stream(
    story: Story, number: int, seed: int, began_us: int, from_us: int, to_us: int
) -> Requests:
    stream = story.streams[number]
    rng = np.random.default_rng([seed, ASKED, number, from_us])
    arrived_us = arrivals(rng, stream, began_us, from_us, to_us)
    count = len(arrived_us)
    version = _versions(rng, story, stream, arrived_us - began_us)
    spreads = np.array([found.curve.spread for found in versions_of(story)])
    noise = np.exp(rng.standard_normal(count) * spreads[version])
    failing = np.array([found.failing for found in versions_of(story)])
    invalid = rng.random(count) < stream.invalid
    fails = rng.random(count) < failing[version]
    input_tokens, output_tokens, token_work = _tokens(rng, stream, count)
    items = _items(rng, stream, count)
    places = {node.node_id: place for place, node in enumerate(story.nodes)}
    nodes = np.array([places[node_id] for node_id, _ in stream.nodes])
    return Requests(
        arrived_us=arrived_us,
        stream=np.full(count, number),
        version=version,
        node=nodes[_chosen(rng, count, [weight for _, weight in stream.nodes])],
        priority=_chosen(rng, count, [weight for _, weight in stream.priorities]),
        client_region=_chosen(rng, count, [weight for _, weight in stream.client_regions]),
        key=zipf_keys(rng, count, keys=stream.keys, exponent=stream.zipf_exponent),
        items=items,
        work=noise * token_work,
        fate=np.where(invalid, INVALID, np.where(fails, FAILING, ANSWERED)),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        request_bytes=_bytes(rng, stream.request_bytes, items, input_tokens),
        response_bytes=_bytes(rng, stream.response_bytes, items, output_tokens),
    )


def _versions(
    rng: np.random.Generator, story: Story, stream: Stream, since_us: Integers
) -> Integers:
    numbers = {version: number for number, version in enumerate(versions_of(story))}
    chosen = np.zeros(len(since_us), np.int64)
    for phase in stream.phases:
        offered = np.array([numbers[version] for version, _ in phase.weights])
        drawn = offered[_chosen(rng, len(since_us), [weight for _, weight in phase.weights])]
        chosen = np.where(since_us >= phase.from_us, drawn, chosen)
    return chosen


def _items(rng: np.random.Generator, stream: Stream, count: int) -> Integers:
    if stream.most_items == 1:
        return np.ones(count, np.int64)
    return np.minimum(rng.geometric(1 / stream.items, count), stream.most_items).astype(np.int64)


def _tokens(
    rng: np.random.Generator, stream: Stream, count: int
) -> tuple[Integers, Integers, Floats]:
    """Return tokens in, tokens out, and the work of each request relative to a median answer."""
    tokens = stream.tokens
    if tokens is None:
        return np.zeros(count, np.int64), np.zeros(count, np.int64), np.ones(count)
    tokens_in = 1 + (tokens.median_in * np.exp(0.8 * rng.standard_normal(count))).astype(np.int64)
    drawn = 1 + (tokens.median_out * np.exp(0.6 * rng.standard_normal(count))).astype(np.int64)
    tokens_out = np.minimum(drawn, tokens.most_out)
    return tokens_in, tokens_out, (tokens.fixed + tokens_out) / (tokens.fixed + tokens.median_out)


def _bytes(rng: np.random.Generator, median: int, items: Integers, tokens: Integers) -> Integers:
    """Return sizes: `median` for each item, give or take, and some four bytes for each token."""
    drawn = median * items * np.exp(0.15 * rng.standard_normal(len(items)))
    return drawn.astype(np.int64) + 4 * tokens


def _chosen(rng: np.random.Generator, count: int, weights: Sequence[float]) -> Integers:
    return by_weight(rng, count, np.array(weights))
