"""The price files of a folder as one catalogue."""

from pathlib import Path

from costs import Catalogue, PriceFileError, parse_prices
from reports.errors import ReportError


def load_catalogue(folder: Path) -> Catalogue:
    """Return every price in `folder/instances.csv`.

    Raises ReportError when the file is missing or wrong.
    """
    path = folder / "instances.csv"
    try:
        return Catalogue(parse_prices(path.read_text(encoding="utf-8"), str(path)))
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}; a price file is required") from error
    except UnicodeDecodeError as error:
        raise ReportError(f"{path}: not UTF-8 at byte {error.start}") from error
    except (PriceFileError, ValueError) as error:
        raise ReportError(str(error)) from error
