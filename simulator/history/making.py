"""A stretch of history: what every run of every node left in it, as lines of the spool."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.history.boots import Boot, boots_of
from simulator.history.drawing import Requests, draw
from simulator.history.lines import new_ids, record_lines
from simulator.history.samples import samples
from simulator.history.serving import serve
from simulator.history.story import Story
from simulator.workload import Integers
from usage import encode_lines

# Beside the seed, so that no two kinds of chance are the same.
SERVED = 3


@dataclass(frozen=True)
class BootLines:
    """What one run of a node left: whole lines, records by their `seq`, then samples."""

    node_id: str
    boot_id: str
    lines: bytes
    records: int
    samples: int


def make_stretch(
    story: Story, seed: int, began_us: int, from_us: int, to_us: int
) -> Iterator[BootLines]:
    """Yield what `story`, which began at `began_us`, left in [`from_us`, `to_us`).

    All nodes are started anew at `from_us`. A run that served nobody is left out: nothing in it
    would say that it is made up. The same arguments give the same lines; stretches that follow each
    other have no request, run or id in common.
    """
    requests = draw(story, seed, began_us, from_us, to_us)
    boots = [
        boots_of(node, number, seed, began_us, from_us, to_us)
        for number, node in enumerate(story.nodes)
    ]
    node = _ready_nodes(story, boots, requests)
    for number, runs in enumerate(boots):
        for boot in runs:
            there = (
                (node == number)
                & (requests.arrived_us >= boot.ready_us)
                & (requests.arrived_us < boot.to_us)
            )
            rng = np.random.default_rng([seed, SERVED, number, boot.from_us])
            made = _run(story, boot, began_us, requests.at(np.flatnonzero(there)), rng)
            if made.records:
                yield made


def _run(
    story: Story, boot: Boot, began_us: int, requests: Requests, rng: np.random.Generator
) -> BootLines:
    [boot_id] = new_ids(rng, np.array([boot.from_us]))
    served = serve(story, boot, began_us, requests, rng)
    lines = record_lines(story, boot, boot_id, served, rng)
    sampled = list(
        samples(
            boot,
            boot_id,
            rng,
            sample_us=story.sample_us,
            batches=served.batches(),
            waits=served.waits(),
        )
    )
    data = "".join(lines).encode() + encode_lines(sampled)
    return BootLines(boot.node.node_id, boot_id, data, len(lines), len(sampled))


def _ready_nodes(story: Story, boots: list[list[Boot]], requests: Requests) -> Integers:
    """Return the node of each request: its own where that is ready, else the first that is."""
    ready = np.zeros((len(story.nodes), len(requests)), np.bool_)
    for number, runs in enumerate(boots):
        for boot in runs:
            first, last = np.searchsorted(requests.arrived_us, [boot.ready_us, boot.to_us])
            ready[number, first:last] = True
    places = {node.node_id: place for place, node in enumerate(story.nodes)}
    node = requests.node.copy()
    homeless = ~ready[node, np.arange(len(node))]
    for number, stream in enumerate(story.streams):
        for node_id, _ in stream.nodes:
            found = homeless & (requests.stream == number) & ready[places[node_id]]
            node[found] = places[node_id]
            homeless &= ~found
    return node
