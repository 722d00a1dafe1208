"""The price files of a folder as one book."""

from collections.abc import Iterable
from pathlib import Path

from costs import Catalogue, PriceBook, PriceFileError
from costs.price_folder import (
    INSTANCES,
    MACHINE_FILES,
    PRICE_FILES,
    parse_book,
    parse_catalogue,
)
from reports.errors import ReportError


def load_catalogue(folder: Path) -> Catalogue:
    """Return every price of a machine in `folder`, with the rules of `prices.toml` over them.

    Raises ReportError when a file is wrong, or `instances.csv` missing.
    """
    texts = _read(folder, MACHINE_FILES)
    try:
        return parse_catalogue(texts, str(folder))
    except PriceFileError as error:
        raise ReportError(str(error)) from error


def load_price_book(folder: Path) -> PriceBook:
    """Return everything that `folder` says of prices; a file that is not there says nothing.

    Raises ReportError when a file is wrong, or `instances.csv` missing.
    """
    texts = _read(folder, PRICE_FILES)
    try:
        return parse_book(texts, str(folder))
    except PriceFileError as error:
        raise ReportError(str(error)) from error


def _read(folder: Path, names: Iterable[str]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name in names:
        path = folder / name
        try:
            texts[name] = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            if name == INSTANCES:
                raise ReportError(f"{path}: {error.strerror}; a price file is required") from error
        except OSError as error:
            raise ReportError(f"{path}: {error.strerror}; a readable file is required") from error
        except UnicodeDecodeError as error:
            raise ReportError(f"{path}: not UTF-8 at byte {error.start}") from error
    return texts
