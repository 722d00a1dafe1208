"""Six weeks that never were, for the database of `make demo`: `python -m deploy.history`.

A first run makes up the weeks before now, a later one only what is missing since. Each stretch of
some days is stored in one commit, so a run that is cut off leaves a shorter history, which the
next one goes on with. Prints how far it is, a line for each stretch.
"""

import argparse
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from collectors.commands.options import add_retention, now_us, retention_of
from collectors.lock import HeldError, sole_collector
from model_lab.card import read_card
from model_lab.errors import CardError
from simulator.history import (
    SEED,
    BootLines,
    Curve,
    Story,
    demo_story,
    make_stretch,
)
from store import (
    DAY_US,
    MINUTE_US,
    DatabaseMissingError,
    Retention,
    StoreError,
    Writer,
    maintain,
    open_reader,
    open_writer,
    read_boots,
)
from usage import Chunk, Position

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("1", "2")
# Made up, and held in memory, at once: half a week is some 100,000 records.
STRETCH_US = 7 * DAY_US // 2
# A gap that is shorter is left for the next time: a run of a node has to be longer than it loads.
SHORTEST_GAP_US = 15 * MINUTE_US
# After so many stretches what is old goes to the archive, so that the file never gets large.
UPKEEP_EVERY = 4
WEEK_US = 7 * DAY_US
MONDAY_US = int(datetime(1970, 1, 5, tzinfo=UTC).timestamp()) * 1_000_000


@dataclass(frozen=True)
class Stored:
    """What is stored of the story: when it began, and up to when it goes."""

    began_us: int
    to_us: int


@dataclass(frozen=True)
class Missing:
    """What is to be made up: stretches of the story that began at `began_us`, by time."""

    began_us: int
    stretches: list[tuple[int, int]]


def digits_curves(models: Path) -> dict[str, Curve]:
    """Return the measured execution times of the shipped model. Raises CardErrors."""
    curves = {}
    for version in VERSIONS:
        card = read_card(models / "digits" / version / "card.json")
        curves[version] = Curve.measured(
            {
                point.batch_size: (point.median_compute_us, point.p95_compute_us)
                for point in card.performance.latency
            }
        )
    return curves


def missing(stored: Stored | None, until_us: int, length_us: int) -> Missing:
    """Return what lies between `stored` and `until_us`, of the last `length_us` or little more.

    A history begins on a Monday, so that its weeks are those of a calendar.
    """
    earliest_us = until_us - length_us
    monday_us = earliest_us - (earliest_us - MONDAY_US) % WEEK_US
    if stored is None:
        stored = Stored(monday_us, monday_us)
    from_us = max(stored.to_us, monday_us)
    if until_us - from_us < SHORTEST_GAP_US:
        return Missing(stored.began_us, [])
    inner = [
        edge_us
        for edge_us in range(monday_us, until_us, STRETCH_US)
        if from_us < edge_us <= until_us - SHORTEST_GAP_US
    ]
    return Missing(stored.began_us, list(pairwise([from_us, *inner, until_us])))


def read_stored(database: Path, story: Story) -> Stored | None:
    """Return what `database` holds of `story`, None where it holds nothing. Raises StoreErrors."""
    nodes = {node.node_id for node in story.nodes}
    try:
        with open_reader(database) as connection:
            boots = [
                boot for boot in read_boots(connection) if boot.simulated and boot.node_id in nodes
            ]
    except DatabaseMissingError:
        return None
    facts = [
        (boot.first_fact_us, boot.last_fact_us)
        for boot in boots
        if boot.first_fact_us is not None and boot.last_fact_us is not None
    ]
    if not facts:
        return None
    return Stored(min(first for first, _ in facts), max(last for _, last in facts))


def fill(
    database: Path, story: Story, retention: Retention, clock: Callable[[], int]
) -> Generator[str, None, None]:
    """Store what is missing up to now by `clock` and yield, now and then, how far that is.

    Raises HeldError while another collector has `database`, and StoreErrors.
    """
    with sole_collector(database):
        # Creates the file, or brings it to the newest form, before it is looked at.
        with open_writer(database):
            pass
        wanted = missing(read_stored(database, story), clock(), story.length_us)
        with closing(Writer(database)) as writer:
            for number, (from_us, to_us) in enumerate(wanted.stretches, 1):
                last = number == len(wanted.stretches)
                # Making the others took a while, and what is live begins right after the last.
                end_us = clock() if last else to_us
                made = make_stretch(story, SEED, wanted.began_us, from_us, end_us)
                writer.add_lines([_chunk(run) for run in made], clock())
                writer.commit(now_us=clock())
                if last or number % UPKEEP_EVERY == 0:
                    maintain(database, retention, now_us=clock())
                yield f"{number / len(wanted.stretches):.0%}"


def _chunk(run: BootLines) -> Chunk:
    """Return what `run` left as if it had been read from a spool."""
    end = Position(1, len(run.lines))
    return Chunk(run.node_id, run.boot_id, 1, run.lines, None, Position(), end)


def main() -> int:
    """Parse the arguments, fill the database, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.history", description=__doc__)
    parser.add_argument("--database", type=Path, default=ROOT / "data/usage.duckdb")
    add_retention(parser)
    arguments = parser.parse_args()
    started_s = time.monotonic()
    try:
        story = demo_story(digits_curves(ROOT / "data/models"))
        for progress in fill(arguments.database, story, retention_of(arguments), now_us):
            print(progress, flush=True)
    except (CardError, HeldError, StoreError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"done in {time.monotonic() - started_s:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
