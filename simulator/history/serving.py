"""What becomes of the requests that reach one run of a node: cache, queue, execution, answer."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulator.history.batching import Executions, execute
from simulator.history.boots import Boot
from simulator.history.caching import NOBODY, leaders
from simulator.history.drawing import FAILING, INVALID, Requests, versions_of
from simulator.history.story import Story
from simulator.workload import Integers
from usage import CacheOutcome

Flags = npt.NDArray[np.bool_]

# Time to read a request and to write its answer, median and spread of the logarithm.
HANDLING_US, HANDLING_SPREAD = 140, 0.35
# The ways in which a request ends. An outcome is a cache outcome, a status and an error.
OUTCOMES: tuple[tuple[CacheOutcome, int, str | None], ...] = (
    ("miss", 200, None),
    ("bypass", 200, None),
    ("memory", 200, None),
    ("coalesced", 200, None),
    ("miss", 500, "execution_failed"),
    ("bypass", 500, "execution_failed"),
    ("miss", 503, "queue_timeout"),
    ("bypass", 503, "queue_timeout"),
    ("bypass", 400, "invalid_request"),
)
_PLACE = {(cache, error): place for place, (cache, _, error) in enumerate(OUTCOMES)}
_REFUSED = [place for (_, error), place in _PLACE.items() if error == "queue_timeout"]


@dataclass(frozen=True)
class Served:
    """n requests and what became of each, as arrays of shape [n], in the order of their answers.

    `outcome` is a place in OUTCOMES; `batch_id` is 0 where nothing was executed.
    """

    requests: Requests
    outcome: Integers
    queue_us: Integers
    total_us: Integers
    executions: Executions

    def batches(self) -> tuple[Integers, Integers]:
        """Return the start and the execution time of every batch, each once."""
        ids, first = np.unique(self.executions.batch_id, return_index=True)
        first = first[ids > 0]
        return self.executions.began_us[first], self.executions.compute_us[first]

    def waits(self) -> tuple[Integers, Integers]:
        """Return when each request that came to the queue did so, and when it left."""
        arrived_us = self.requests.arrived_us
        queued = (self.executions.batch_id > 0) | np.isin(self.outcome, _REFUSED)
        return arrived_us[queued], (arrived_us + self.queue_us)[queued]


def serve(
    story: Story, boot: Boot, began_us: int, requests: Requests, rng: np.random.Generator
) -> Served:
    """Return what becomes of `requests`, in order of arrival and all of them to `boot`.

    A request that would be answered after the end of the run is left out: it went to nobody.
    """
    arrived_us = requests.arrived_us
    asked, idle_us = _caching(story, requests, began_us)
    leader = leaders(arrived_us, np.where(asked, _entry(requests), -1), idle_us)
    led = leader != NOBODY
    invalid = requests.fate == INVALID
    runs = _executed(story, boot, requests, ~led & ~invalid)
    handling_us = (
        HANDLING_US * np.exp(HANDLING_SPREAD * rng.standard_normal(len(requests)))
    ).astype(np.int64)
    executed, refused = runs.batch_id > 0, ~led & ~invalid & (runs.batch_id == 0)
    end_us = np.where(executed, runs.began_us + runs.compute_us, runs.began_us)
    # Who asks for what is being executed waits for it.
    answer_us = np.where(led, end_us[leader], 0)
    coalesced = led & (arrived_us < answer_us)
    ready_us = np.where(led, np.maximum(arrived_us, answer_us), end_us) + handling_us
    queue_us = np.where(executed, runs.began_us - arrived_us, ready_us - arrived_us)
    outcome = _outcomes(asked, led, coalesced, refused, requests.fate)
    served = Served(
        requests,
        outcome,
        np.where(led & ~coalesced, 0, queue_us),
        ready_us - arrived_us,
        runs,
    )
    # A batch is left out whole, and so is who waited for an execution that never was.
    cut = np.unique(runs.batch_id[executed & (ready_us >= boot.to_us)])
    kept = (ready_us < boot.to_us) & ~(executed & np.isin(runs.batch_id, cut))
    kept &= ~led | (kept & executed)[leader]
    return _at(served, np.flatnonzero(kept)[np.argsort(ready_us[kept], kind="stable")])


def _executed(story: Story, boot: Boot, requests: Requests, wanted: Flags) -> Executions:
    """Return the executions of the `wanted` requests, among places for all of them."""
    places = np.flatnonzero(wanted)
    found = execute(
        requests.arrived_us[places],
        requests.version[places],
        requests.items[places],
        requests.work[places],
        versions=versions_of(story),
        workers=boot.node.workers,
    )
    columns = {}
    for field in dataclasses.fields(Executions):
        column = np.zeros(len(requests), np.int64)
        if field.name == "began_us":
            column = requests.arrived_us.copy()
        column[places] = getattr(found, field.name)
        columns[field.name] = column
    return Executions(**columns)


def _caching(story: Story, requests: Requests, began_us: int) -> tuple[Flags, Integers]:
    """Return which requests ask a cache, and for how long after its use an entry of it is kept."""
    never = np.iinfo(np.int64).max
    plans = [stream.caching for stream in story.streams]
    from_us = np.array([never if plan is None else began_us + plan.from_us for plan in plans])
    idle_us = np.array([0 if plan is None else plan.idle_us for plan in plans])
    switched_on = requests.arrived_us >= from_us[requests.stream]
    return switched_on & (requests.fate != INVALID), idle_us[requests.stream]


def _entry(requests: Requests) -> Integers:
    """Return a number for what a request asks for: an input of a version.

    What will fail has one of its own: failures are not kept.
    """
    found: Integers = requests.version * 2**40 + requests.key
    own = 2**60 + np.arange(len(requests))
    return np.where(requests.fate == FAILING, own, found)


def _outcomes(
    asked: Flags, led: Flags, coalesced: Flags, refused: Flags, fate: Integers
) -> Integers:
    outcome = np.where(asked, _PLACE["miss", None], _PLACE["bypass", None])
    for flags, error in ((fate == FAILING, "execution_failed"), (refused, "queue_timeout")):
        places = np.where(asked, _PLACE["miss", error], _PLACE["bypass", error])
        outcome = np.where(flags, places, outcome)
    outcome = np.where(fate == INVALID, _PLACE["bypass", "invalid_request"], outcome)
    hits = np.where(coalesced, _PLACE["coalesced", None], _PLACE["memory", None])
    return np.where(led, hits, outcome)


def _at(served: Served, places: Integers) -> Served:
    runs = served.executions
    return Served(
        served.requests.at(places),
        served.outcome[places],
        served.queue_us[places],
        served.total_us[places],
        Executions(
            *(getattr(runs, field.name)[places] for field in dataclasses.fields(Executions))
        ),
    )
