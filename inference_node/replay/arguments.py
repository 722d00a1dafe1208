"""The command line of the replay client: its options, and what each exit code means."""

import argparse
import asyncio
import math
import signal
import sys
from pathlib import Path

import numpy as np
import uvloop

from inference_node.replay.errors import NodeNotThereError, ReplayInputError
from inference_node.replay.images import ReplayImages, load_images
from inference_node.replay.replay import ReplayOptions, find_node, replay
from inference_node.replay.report import ReplayReport
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
    "images": "--images",
    "rate_rps * duration_s": "--rate times --duration",
    "rate_rps": "--rate",
    "duration_s": "--duration",
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
        images = load_images(Path(arguments.images))
        workload = _workload(arguments, keys=len(images))
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


def _workload(arguments: argparse.Namespace, keys: int) -> Workload:
    if arguments.process is None:
        for name in GENERATED:
            if getattr(arguments, name) is not None:
                accepted = "this option together with --process only"
                raise ReplayInputError(f"--{name}", getattr(arguments, name), accepted)
        return _read(Path(arguments.arrivals or SAMPLE_ARRIVALS))
    if arguments.arrivals is not None:
        raise ReplayInputError("--arrivals", arguments.arrivals, "either this or --process")
    given = {
        name: default if getattr(arguments, name) is None else getattr(arguments, name)
        for name, default in GENERATED.items()
    }
    return _generated(arguments.process, given, keys)


def _read(path: Path) -> Workload:
    try:
        workload = read_workload(path.read_bytes())
    except OSError as error:
        accepted = f"a readable CSV file ({error.strerror})"
        raise ReplayInputError("--arrivals", str(path), accepted) from error
    except WorkloadError as error:
        name = f"--arrivals {path}, line {error.line}: {error.field}"
        raise ReplayInputError(name, error.value, error.accepted) from error
    if len(workload) == 0:
        raise ReplayInputError(f"--arrivals {path}", "empty", "at least one request")
    if workload.items.max() > 1:
        name = f"--arrivals {path}: items"
        raise ReplayInputError(name, int(workload.items.max()), "1, a request is one image")
    return workload


def _generated(process: str, given: dict[str, str], keys: int) -> Workload:
    rate_rps = _number("--rate", given["rate"])
    duration_s = _number("--duration", given["duration"])
    rng = np.random.default_rng(_seed(given["seed"]))
    population = Population(
        keys=keys,
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
        accepted = "enough for at least one request"
        raise ReplayInputError("--rate times --duration", rate_rps * duration_s, accepted)
    return population.workload(rng, arrived_at_s)


def _text(arguments: argparse.Namespace, name: str) -> str:
    text: str = getattr(arguments, name)
    if not text.strip():
        raise ReplayInputError(f"--{name}", text, "a name")
    return text


def _number(option: str, text: str, accepted: str = "a finite number") -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ReplayInputError(option, text, accepted)
    return number


def _speed(text: str) -> float:
    accepted = "a number above 0"
    speed = _number("--speed", text, accepted)
    if speed <= 0:
        raise ReplayInputError("--speed", text, accepted)
    return speed


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ReplayInputError("--seed", text, "a whole number from 0, of at most 18 digits")
    return int(text)


def _weights(option: str, text: str) -> dict[str, float]:
    accepted = "names with weights, each name once, such as a=0.7,b=0.3"
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, weight = part.partition("=")
        if not equals or name.strip() in weights:
            raise ReplayInputError(option, text, accepted)
        weights[name.strip()] = _number(option, weight, accepted)
    return weights


def _in_options(error: ReplayInputError | WorkloadError) -> str:
    """Return the message of `error`, which names a field, with the option it comes from."""
    field = error.name if isinstance(error, ReplayInputError) else error.field
    for name, option in OPTION_OF_FIELD.items():
        # What follows a space says where in a file.
        if field == name or field.startswith(f"{name} "):
            return str(error).replace(name, option, 1)
    return str(error)
