"""Public price lists into the catalogue of prices.

    aws       AWS Price List, offer file of AmazonEC2 (JSON)
    azure     Azure Retail Prices API, a file for each page (JSON)
    skypilot  SkyPilot catalogue, vms.csv of one --cloud
    opencost  OpenCost custom pricing (CSV), machines of one --cloud

No price in the catalogue is lost: another price for a machine becomes a new row with valid_from.
"""

import argparse
import contextlib
import fcntl
import mmap
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, TypeVar

from costs.importers.aws import parse_aws
from costs.importers.azure import parse_azure
from costs.importers.found import Found, ImportFileError
from costs.importers.merge import Merged, merge_commitments, merge_prices, merge_types
from costs.importers.opencost import parse_opencost
from costs.importers.skypilot import parse_skypilot
from costs.price_file import format_prices, parse_prices
from costs.price_folder import COMMITMENTS, INSTANCE_TYPES, INSTANCES
from costs.prices.commitment import format_commitments, parse_commitments
from costs.prices.instance_type import format_instance_types, parse_instance_types
from costs.prices.table import PriceFileError, keep_comments

FORMATS = ("aws", "azure", "skypilot", "opencost")
FactT = TypeVar("FactT")


def main() -> int:
    """Parse the arguments, import, return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m costs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "import",
        help="price lists into the catalogue",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("format", choices=FORMATS)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    command.add_argument("--out", type=Path, default=Path("data/prices"), metavar="DIR")
    command.add_argument(
        "--as-of",
        type=_past_day,
        default=datetime.now(UTC).date(),
        metavar="DATE",
        help="day on which the files were fetched, where they do not say it; today",
    )
    command.add_argument(
        "--cloud", type=_cloud, help="skypilot: aws, gcp, ...; opencost: own without it"
    )
    command.add_argument("--default-region", help="opencost: region of rows without one")
    command.add_argument("--region", action="append", metavar="PATTERN", help="only these")
    command.add_argument("--instance-type", action="append", metavar="PATTERN", help="only these")
    command.add_argument("--dry-run", action="store_true", help="say what would be done")
    arguments = parser.parse_args()
    if arguments.format == "skypilot" and not arguments.cloud:
        parser.error("skypilot: --cloud is needed, since the file does not name its cloud")
    try:
        found = _read(arguments).only(arguments.region, arguments.instance_type)
        if not found.prices and not found.commitments:
            _print_left_out(found)
            print("no price was found in what was asked for", file=sys.stderr)
            return 1
        if arguments.dry_run:
            _merge(found, arguments.out, dry_run=True)
            return 0
        arguments.out.mkdir(parents=True, exist_ok=True)
        with _alone_in(arguments.out):
            _merge(found, arguments.out, dry_run=False)
    except (ImportFileError, PriceFileError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _cloud(text: str) -> str:
    """Return the name of a cloud as nodes and price files have it."""
    if not re.fullmatch("[a-z][a-z0-9_-]*", text.lower()):
        raise argparse.ArgumentTypeError(f"{text!r}; accepted: a name, as aws, gcp or own")
    return text.lower()


def _past_day(text: str) -> date:
    """Return a day that has begun somewhere on Earth: no list was fetched later than that."""
    latest = datetime.now(UTC).date() + timedelta(days=1)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if day > latest:
        raise argparse.ArgumentTypeError(f"{text!r}; accepted: a day until {latest}")
    return day


def _read(arguments: argparse.Namespace) -> Found:
    found, as_of = Found(), arguments.as_of.isoformat()
    for path in arguments.files:
        name = str(path)
        match arguments.format:
            case "aws":
                found.add(parse_aws(_mapped(path), name, as_of))
            case "azure":
                found.add(parse_azure(_mapped(path), name, as_of))
            case "skypilot":
                found.add(parse_skypilot(_lines(path), name, arguments.cloud, as_of))
            case _:
                cloud, region = arguments.cloud or "own", arguments.default_region
                found.add(parse_opencost(_lines(path), name, cloud, region, as_of))
    return found


def _mapped(path: Path) -> memoryview:
    """Return the bytes of a file that stay on disk until they are looked at."""
    with path.open("rb") as file:
        if not path.stat().st_size:
            return memoryview(b"")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except UnicodeDecodeError as error:
        raise ImportFileError(f"{path}: {error.reason}; accepted: CSV in UTF-8") from error


def _merge(found: Found, folder: Path, *, dry_run: bool) -> None:
    updates = (
        _updated(folder / INSTANCES, parse_prices, merge_prices, format_prices, found.prices),
        _updated(
            folder / INSTANCE_TYPES,
            parse_instance_types,
            merge_types,
            format_instance_types,
            found.instance_types,
        ),
        _updated(
            folder / COMMITMENTS,
            parse_commitments,
            merge_commitments,
            format_commitments,
            found.commitments,
        ),
    )
    for update in updates:
        if update.text is not None and not dry_run:
            _replace(update.path, update.text)
        _print_counts(str(update.path), update.done, update.skipped)
    _print_left_out(found)


class _Update(NamedTuple):
    """The new text of a price file, None where nothing changes, and what is done to its rows."""

    path: Path
    text: str | None
    done: Counter[str]
    skipped: Counter[str]


def _updated(
    path: Path,
    parse: Callable[[str, str], Iterable[FactT]],
    merge: Callable[[Iterable[FactT], Iterable[FactT]], Merged[FactT]],
    format_: Callable[[Iterable[FactT]], str],
    new: Iterable[FactT],
) -> _Update:
    try:
        before = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        before = ""
    except UnicodeDecodeError as error:
        raise PriceFileError(f"{path}: not UTF-8 at byte {error.start}") from error
    merged = merge(parse(before, str(path)) if before else (), new)
    text = keep_comments(before, format_(merged.facts)) if merged.changed else None
    return _Update(path, text, merged.done, merged.skipped)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other import is at work in `folder`: each merges into what it has read."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, text: str) -> None:
    """Make `text` the content of what `path` leads to; who is killed meanwhile leaves the old."""
    path = path.resolve()
    beside = path.with_name(f".{path.name}.new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        beside.chmod(path.stat().st_mode)
    beside.replace(path)


def _print_left_out(found: Found) -> None:
    _print_counts("left out", found.skipped)
    _print_counts("noted", found.notes)


def _print_counts(title: str, *counts: Counter[str]) -> None:
    lines = [
        f"  {count:>9,}  {what}" for each in counts for what, count in each.most_common() if count
    ]
    if lines:
        print(f"{title}:", *lines, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
