"""One file that is to be imported: its content, its format, and the columns that the map wants."""

from pathlib import Path
from typing import Final

from collectors.importing.block import Rows
from collectors.importing.content import Content
from collectors.importing.csv_rows import CsvRows
from collectors.importing.errors import InputError
from collectors.importing.import_map import ImportMap
from collectors.importing.ndjson_rows import NdjsonRows

FORMATS: Final = ("csv", "ndjson", "parquet")

_SUFFIXES: Final = {
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
}


class InputFile:
    """The file of `content`, in `format_`. Of a `growing` one an incomplete last row is left."""

    def __init__(
        self, content: Content, format_: str, import_map: ImportMap, *, growing: bool = False
    ) -> None:
        self.content = content
        self._format = format_
        self.import_map = import_map
        self._growing = growing

    def require_columns(self) -> None:
        """Raise InputError when it is not of its format or lacks a column that the map names."""
        self.rows(0)

    def rows(self, size: int) -> Rows:
        """Return the rows of the first `size` bytes of the content. Raises InputError."""
        wanted = self.import_map.wanted
        if self._format == "parquet":
            # It takes 0.1 s, for which other commands and formats need not wait.
            from collectors.importing.parquet_rows import ParquetRows

            return ParquetRows(self.content, wanted)
        if self._format == "csv":
            return CsvRows(self.content, wanted, self.import_map.csv, size, growing=self._growing)
        return NdjsonRows(self.content, wanted, size, growing=self._growing)


def format_of(path: Path) -> str:
    """Return the format that the name of `path` tells. Raises InputError when it tells none."""
    suffix = Path(path.name.removesuffix(".gz")).suffix
    if suffix not in _SUFFIXES:
        raise InputError(
            f"{path}: --format is missing, and the name tells none; "
            f"accepted: {', '.join(FORMATS)}, or a name that ends in {', '.join(_SUFFIXES)}"
        )
    return _SUFFIXES[suffix]
