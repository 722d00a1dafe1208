"""`python -m collectors import`: bring the logs of other servers into the database."""

import argparse
import gc
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

from collectors.arguments import whole
from collectors.importing.content import Content
from collectors.importing.errors import (
    ImportingError,
    MapError,
    SourceBusyError,
    StoppedError,
)
from collectors.importing.file_import import BATCH_ROWS
from collectors.importing.import_map import read_map
from collectors.importing.import_run import ImportRun
from collectors.importing.input_file import FORMATS, InputFile, format_of
from collectors.importing.preset import PRESET_FORMATS, PRESETS
from collectors.importing.progress import Progress
from collectors.importing.summary import Imported, as_json, in_words
from collectors.stop_signal import StopSignal
from store import PositionConflictError, StoreError

# What the exit code says.
ALL_STORED: Final = 0
SOME_REJECTED: Final = 1
NOT_USABLE: Final = 2
NOT_FINISHED: Final = 3
STOPPED: Final = 130

GC_THRESHOLD: Final = 200_000
MOST_BATCH_ROWS: Final = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `import` to `parser`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--map", type=Path, help="TOML: which column is which field")
    parser.add_argument("--preset", choices=sorted(PRESETS), help="a map that is known already")
    parser.add_argument("--format", choices=FORMATS, help="where the name of a file does not tell")
    parser.add_argument("--database", type=Path, default=Path("data/usage.duckdb"))
    parser.add_argument(
        "--batch-rows",
        type=whole(1, MOST_BATCH_ROWS),
        default=BATCH_ROWS,
        metavar="N",
        help="per commit",
    )
    parser.add_argument(
        "--growing", action="store_true", help="leave a last row that is not complete yet"
    )
    parser.add_argument("--dry-run", action="store_true", help="read everything, store nothing")
    parser.add_argument("--json", action="store_true", help="print the result as a line of JSON")


def run(arguments: argparse.Namespace) -> int:
    """Import the files one after the other, print what was done, return the exit code."""
    # Rows are many and in no cycles; to look for some among them takes a tenth of the time.
    threshold = gc.get_threshold()
    gc.set_threshold(GC_THRESHOLD)
    try:
        # Heard between two rows: an exception in the middle of a query is no clean end.
        with closing(StopSignal()) as stop:
            stop.listen()
            return _run(arguments, stop)
    finally:
        gc.set_threshold(*threshold)


def _run(arguments: argparse.Namespace, stop: StopSignal) -> int:
    progress = Progress(sys.stderr)
    done: list[Imported] = []
    code, error = ALL_STORED, None
    try:
        run_ = _import_run(arguments, progress, stop)
        done = run_.done
        if arguments.dry_run:
            run_.try_out()
        else:
            run_.store_in(arguments.database)
    except SourceBusyError as busy:
        code, error = NOT_FINISHED, str(busy)
    except StoppedError as stopped:
        code, error = STOPPED, str(stopped)
    except ImportingError as unusable:
        code, error = NOT_USABLE, str(unusable)
    except PositionConflictError as conflict:
        words = "another process stored rows of the same file; run this again to go on"
        code, error = NOT_FINISHED, f"{conflict}: {words}"
    except (StoreError, OSError) as trouble:
        code, error = NOT_FINISHED, str(trouble)
    progress.clear()
    if arguments.json:
        sys.stdout.write(as_json(done, error))
    else:
        for imported in done:
            sys.stdout.write(in_words(imported, dry_run=arguments.dry_run))
    sys.stdout.flush()
    if error is not None:
        sys.stderr.write(f"{error}\n")
        return code
    return SOME_REJECTED if any(one.rejected for one in done) else ALL_STORED


def _import_run(arguments: argparse.Namespace, progress: Progress, stop: StopSignal) -> ImportRun:
    """Return what `arguments` ask for. Raises ImportingErrors."""
    if arguments.map is None and arguments.preset is None:
        raise MapError("--map is missing, and --preset; accepted: one of them, or both")
    import_map = read_map(arguments.map, PRESETS.get(arguments.preset))
    format_ = arguments.format or PRESET_FORMATS.get(arguments.preset)
    files = [
        InputFile(Content(path), format_ or format_of(path), import_map, growing=arguments.growing)
        for path in arguments.files
    ]
    return ImportRun(files, progress, batch_rows=arguments.batch_rows, stop=stop)
