"""The replay client: sends a workload to a running node as real HTTP requests, open loop.

Open loop: every request leaves at its scheduled instant, whatever became of the earlier ones. A
closed loop would wait for a slow node and so hide the queue that real users would have met
(Schroeder, Wierman, Harchol-Balter: Open Versus Closed, NSDI 2006).
"""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

from yarl import URL

from inference_node.replay.errors import NodeNotThereError, ReplayInputError
from inference_node.replay.images import ReplayImages
from inference_node.replay.report import ReplayReport, Tally
from inference_node.replay.sender import Sender, connect_kind, open_session
from simulator import Workload

CONNECT_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class ReplayOptions:
    """How to replay: which model and version (None: the node's choice), and at what pace.

    speed: 2 halves every gap between arrivals. repeat: start over at the end, until stopped.
    timeout_s: after so long a request counts as lost. grace_s: so long a stopped replay awaits
    the answers still outstanding.
    """

    model: str = "digits"
    version: str | None = None
    speed: float = 1.0
    repeat: bool = False
    timeout_s: float = 30.0
    grace_s: float = 10.0


DEFAULT_OPTIONS = ReplayOptions()


async def replay(
    workload: Workload,
    images: ReplayImages,
    url: str,
    options: ReplayOptions = DEFAULT_OPTIONS,
    *,
    stop: asyncio.Event | None = None,
) -> ReplayReport:
    """Send each request of `workload` to the node at `url` when it is due; return what came of it.

    Key modulo the number of images selects the image. Setting `stop` ends the schedule; what is
    outstanding then has `grace_s` to be answered. A node that refuses, fails or falls silent is
    counted and never raises. Raises ReplayInputError when the request cannot be made at all: no
    http(s) url, an empty workload, or requests of several items (a request carries one image).
    """
    if len(workload) == 0:
        raise ReplayInputError("workload", "empty", "at least one request")
    if workload.items.max() > 1:
        raise ReplayInputError("items", int(workload.items.max()), "1, a request is one image")
    query = {"model": options.model} | ({"version": options.version} if options.version else {})
    predict_url = (node_url(url) / "predict").with_query(query)
    stopping = asyncio.create_task((stop or asyncio.Event()).wait())
    tally = Tally()
    try:
        async with open_session(options.timeout_s) as session, asyncio.TaskGroup() as group:
            sender = Sender(session, predict_url, images, tally)
            outstanding: set[asyncio.Task[None]] = set()
            started_s = perf_counter()

            async def follow_schedule() -> None:
                for due_s, key, tenant, priority in _schedule(workload, options, started_s):
                    await _sleep_until(due_s)
                    tally.scheduled += 1
                    task = group.create_task(sender.send(due_s, key, tenant, priority))
                    outstanding.add(task)
                    task.add_done_callback(outstanding.discard)
                if outstanding:
                    await asyncio.wait(outstanding)

            replaying = group.create_task(follow_schedule())
            await asyncio.wait({replaying, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopped = not replaying.done()
            replaying.cancel()
            if outstanding:
                await asyncio.wait(outstanding, timeout=options.grace_s)
            for task in outstanding:
                task.cancel()
    finally:
        stopping.cancel()
    return tally.report(duration_s=round(perf_counter() - started_s, 6), stopped=stopped)


async def find_node(url: str) -> None:
    """Return when the node at `url` accepts a connection; raise NodeNotThereError when not.

    Raises ReplayInputError when `url` is no http(s) url.
    """
    address = node_url(url)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except TimeoutError as error:
        message = f"no node at {url}: no connection within {CONNECT_TIMEOUT_S:g} s"
        raise NodeNotThereError(message) from error
    except OSError as error:
        raise NodeNotThereError(f"no node at {url}: {connect_kind(error)}") from error
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def node_url(url: str) -> URL:
    """Return `url` parsed; raise ReplayInputError unless it is http(s) with a host."""
    accepted = "an address such as http://127.0.0.1:8000"
    try:
        parsed = URL(url)
        # What looking the host up would do first, and fail at with no OSError.
        (parsed.host or "").encode("idna")
    except ValueError as error:
        raise ReplayInputError("url", url, accepted) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ReplayInputError("url", url, accepted)
    return parsed


def _schedule(
    workload: Workload, options: ReplayOptions, started_s: float
) -> Iterator[tuple[float, int, str, str]]:
    """Yield (due_s, key, tenant, priority) in order of arrival, for ever if asked to repeat."""
    rounds = itertools.count() if options.repeat else range(1)
    period_s = _period_s(workload)
    for number in rounds:
        for arrived_at_s, key, _items, priority, tenant in workload.rows():
            yield (
                started_s + (number * period_s + arrived_at_s) / options.speed,
                key,
                tenant,
                priority,
            )


def _period_s(workload: Workload) -> float:
    """Return after how many seconds a repeated workload starts over.

    One mean gap after the last arrival, so that the mean rate stays what it is; 1 s where all
    arrive at once and there is no gap.
    """
    last_s = float(workload.arrived_at_s[-1])
    gaps = max(len(workload) - 1, 1)
    return last_s + last_s / gaps or 1.0


async def _sleep_until(due_s: float) -> None:
    # At least one turn of the event loop, so that a client that is behind still reads answers.
    await asyncio.sleep(max(0.0, due_s - perf_counter()))
    # Timers of the event loop may fire up to half a millisecond early.
    while (remaining_s := due_s - perf_counter()) > 0:
        await asyncio.sleep(remaining_s)
