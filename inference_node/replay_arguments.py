"""The command line of the replay client: its options, and what each exit code means."""

import argparse
import asyncio
import math
import signal
import sys
from pathlib import Path

import numpy as np
import uvloop

from inference_node.replay import ReplayOptions, find_node, replay
from inference_node.replay_errors import NodeNotThereError, ReplayInputError
from inference_node.replay_images import ReplayImages, load_images
from inference_node.replay_report import ReplayReport
from simulator import (
    Population,
    Workload,
    WorkloadError,
    bursty_arrivals,
    daily_arrivals,
    poisson_arrivals,
    read_workload,
)

DONE = 0
NO_NODE = 1
WRONG_INPUT = 2

SAMPLE_ARRIVALS = "data/samples/arrivals.csv"
SAMPLE_IMAGES = "data/samples/digits.npz"
PROCESSES = ("poisson", "bursty", "daily")

# What shapes a generated workload, with the defaults; a file of arrivals has its own.
GENERATED = {
    "rate": "30",
    "duration": "60",
    "seed": "1",
    "zipf": "1.1",
    "tenants": "shop=0.6,search=0.3,lab=0.1",
    "priorities": "high=0.2,normal=0.7,batch=0.1",
}

# The parts below this module name fields; whoever types the command knows options.
OPTION_OF_FIELD = {
    "url": "--url",
    "rate_rps": "--rate",
    "duration_s": "--duration",
    "rate_rps * duration_s": "--rate times --duration",
    "zipf_exponent": "--zipf",
    "tenants": "--tenants",
    "priorities": "--priorities",
}


def add_replay_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the replay command to `parser`.

    All values stay text here: argparse answers a wrong value with its usage, `run_replay` with
    one line that says what is accepted.
    """
    add = parser.add_argument
    add("--url", default="http://127.0.0.1:8000", help="the node (%(default)s)")
    add("--model", default="digits", help="the model to ask (%(default)s)")
    add("--version", help="its version (the node's choice)")
    add("--images", default=SAMPLE_IMAGES, help="images and labels to send (%(default)s)")
    add("--arrivals", metavar="FILE", help=f"when to send what, CSV ({SAMPLE_ARRIVALS})")
    add("--process", help=f"generate the arrivals instead: {', '.join(PROCESSES)}")
    add("--rate", help=f"mean requests a second ({GENERATED['rate']})")
    add("--duration", help=f"seconds; for daily, the length of a day ({GENERATED['duration']})")
    add("--seed", help=f"same seed, same workload ({GENERATED['seed']})")
    add("--zipf", help=f"exponent of the images' popularity ({GENERATED['zipf']})")
    add("--tenants", help=f"tenants by weight ({GENERATED['tenants']})")
    add("--priorities", help=f"priorities by weight ({GENERATED['priorities']})")
    add("--speed", default="1", help="2 sends twice as fast (%(default)s)")
    add("--repeat", action="store_true", help="start over at the end, until interrupted")
    add("--json", action="store_true", help="report as one line of JSON")


def run_replay(arguments: argparse.Namespace) -> int:
    """Replay as `arguments` say, write the report to standard output, return the exit code.

    DONE: the replay ran, whatever the answers were. NO_NODE: nothing accepts connections at the
    url, or none of the requests was answered. WRONG_INPUT: a wrong option or file. SIGINT and
    SIGTERM end the replay early; it still reports.
    """
    try:
        options = ReplayOptions(
            model=_text(arguments, "model"),
            version=None if arguments.version is None else _text(arguments, "version"),
            speed=_speed(arguments.speed),
            repeat=arguments.repeat,
        )
        workload = _workload(arguments)
        images = _images(arguments.images)
        report = uvloop.run(_replayed(workload, images, arguments.url, options))
    except (ReplayInputError, WorkloadError) as error:
        sys.stderr.write(f"replay: {_in_options(error)}\n")
        return WRONG_INPUT
    except NodeNotThereError as error:
        sys.stderr.write(f"replay: {error}\n")
        return NO_NODE
    sys.stdout.write(f"{report.as_json()}\n" if arguments.json else report.as_table())
    sys.stdout.flush()
    return DONE if report.responses or not report.requests_scheduled else NO_NODE


async def _replayed(
    workload: Workload, images: ReplayImages, url: str, options: ReplayOptions
) -> ReplayReport:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await find_node(url)
    return await replay(workload, images, url, options, stop=stop)


def _workload(arguments: argparse.Namespace) -> Workload:
    if arguments.process is None:
        for name in GENERATED:
            if getattr(arguments, name) is not None:
                accepted = "this option together with --process only"
                raise ReplayInputError(f"--{name}", getattr(arguments, name), accepted)
        return _read(Path(arguments.arrivals or SAMPLE_ARRIVALS))
    if arguments.arrivals is not None:
        raise ReplayInputError("--arrivals", arguments.arrivals, "either this or --process")
    given = {name: getattr(arguments, name) or default for name, default in GENERATED.items()}
    return _generated(arguments.process, given)


def _read(path: Path) -> Workload:
    try:
        workload = read_workload(path.read_bytes())
    except OSError as error:
        accepted = f"a readable CSV file ({error.strerror})"
        raise ReplayInputError("--arrivals", str(path), accepted) from error
    except WorkloadError as error:
        raise WorkloadError(
            f"--arrivals {path}: {error.field}", error.value, error.accepted, error.line
        ) from error
    if len(workload) == 0:
        raise ReplayInputError(f"--arrivals {path}", "empty", "at least one request")
    if workload.items.max() > 1:
        most = int(workload.items.max())
        raise ReplayInputError(f"--arrivals {path}: items", most, "1, a request is one image")
    return workload


def _generated(process: str, given: dict[str, str]) -> Workload:
    rate_rps = _number("--rate", given["rate"])
    duration_s = _number("--duration", given["duration"])
    rng = np.random.default_rng(_seed(given["seed"]))
    # As many inputs as the sample has images; `replay` folds the keys onto those it is given.
    population = Population(
        keys=SAMPLE_KEYS,
        zipf_exponent=_number("--zipf", given["zipf"]),
        tenants=_weights("--tenants", given["tenants"]),
        priorities=_weights("--priorities", given["priorities"]),
    )
    match process:
        case "poisson":
            arrived_at_s = poisson_arrivals(rng, rate_rps, duration_s)
        case "bursty":
            arrived_at_s = bursty_arrivals(rng, rate_rps, duration_s)
        case "daily":
            arrived_at_s = daily_arrivals(rng, rate_rps, duration_s, period_s=duration_s)
        case _:
            raise ReplayInputError("--process", process, ", ".join(PROCESSES))
    if len(arrived_at_s) == 0:
        raise ReplayInputError("--rate times --duration", rate_rps * duration_s, "more: no request")
    return population.workload(rng, arrived_at_s)
