"""CSV of others, row by row, by the names in its header."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from costs.importers.found import ImportFileError


def named_rows(
    lines: Iterable[str], name: str, needed: Sequence[str], accepted: str
) -> Iterator[dict[str, str] | None]:
    """Yield the rows of `lines` as texts by column; None for a row that is no row of the table.

    Raises ImportFileError where a `needed` column is missing; `name` is the file's name.
    """
    rows = csv.reader(lines)
    try:
        header = [column.strip().removeprefix("\ufeff") for column in next(rows, [])]
        lacking = [column for column in needed if column not in header]
        if lacking:
            raise ImportFileError(
                f"{name}: no column {lacking[0]}, found {','.join(header)[:200]!r}; "
                f"accepted: {accepted}"
            )
        for row in rows:
            if row:
                texts = (text.strip() for text in row)
                # More fields than names are columns that the header does not know.
                yield dict(zip(header, texts, strict=False)) if len(row) >= len(header) else None
    except csv.Error as error:
        raise ImportFileError(
            f"{name} line {rows.line_num}: {error}; accepted: {accepted}"
        ) from error
