"""The import of one file: its rows, batch by batch, into a sink."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from collectors.importing.block import Block, Reached, RejectedRow, Rows
from collectors.importing.claim import Claim
from collectors.importing.errors import MisfitError
from collectors.importing.import_store import Sink
from collectors.importing.row_converter import RowConverter
from collectors.importing.source import Source
from store import Batch, RejectedLine

# Per commit. Rejected rows take the store some half a millisecond each, while it has the file.
BATCH_ROWS: Final = 50_000
BATCH_REJECTED: Final = 500
# Of the text of a rejected row, as much is kept.
TEXT_BYTES: Final = 2**16
# A map by which none of so many first rows is a fact is meant for another file.
MISFIT_ROWS: Final = 100
FIRST_REJECTS: Final = 5


@dataclass
class Imported:
    """What one run did to one file: `rows` were read, from the row behind `from_row` on."""

    path: Path
    from_row: int = 0
    rows: int = 0
    stored: int = 0
    rejected: int = 0
    first_rejects: list[str] = field(default_factory=list)


class FileImport:
    """Brings `rows` of the file `path` to `sink`, as the `claim` says.

    `progress` is told after every block how far it is and what was done.
    """

    def __init__(
        self,
        path: Path,
        rows: Rows,
        converter: RowConverter,
        claim: Claim,
        sink: Sink,
        progress: Callable[[Reached, Imported], None],
        *,
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        self._rows = rows
        self._converter = converter
        self._source = claim.source
        self._reached = claim.start
        self._sink = sink
        self._progress = progress
        self._batch_rows = batch_rows
        self._batch = Batch()
        self._read = claim.start
        self.imported = Imported(path, claim.start.rows)

    def run(self) -> Imported:
        """Import what is left and return what was done.

        What was stored before an error stays. Raises MisfitError when the map does not fit,
        InputError, and what the sink raises.
        """
        for block in self._rows.blocks(self._reached):
            self._take(block)
            full = (
                len(self._batch.records) >= self._batch_rows
                or len(self._batch.rejected) >= BATCH_REJECTED
            )
            if full:
                self._store()
            self._progress(block.reached, self.imported)
        self._store()
        return self.imported

    def _take(self, block: Block) -> None:
        records, rejected = self._converter.split(block)
        self._batch.records += records
        self._batch.rejected += [_line(row, self._source) for row in rejected]
        self._read = block.reached

    def _store(self) -> None:
        if self._read == self._reached:
            return
        batch, self._batch = self._batch, Batch()
        records, rejected = len(batch.records), len(batch.rejected)
        if not self._reached.rows and not records and rejected >= MISFIT_ROWS:
            raise MisfitError(
                f"{self.imported.path}: none of the first {rejected:,} rows is a request by this "
                f"map, so nothing is stored; {batch.rejected[0].reason}"
            )
        self._sink.store(self._source, batch, self._reached, self._read)
        imported = self.imported
        imported.rows += self._read.rows - self._reached.rows
        imported.stored += records
        imported.rejected += rejected
        left = FIRST_REJECTS - len(imported.first_rejects)
        imported.first_rejects += [line.reason for line in batch.rejected[:left]]
        self._reached = self._read


def _line(row: RejectedRow, source: Source) -> RejectedLine:
    text = row.place.text[:TEXT_BYTES].decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    reason = f"{row.place.called}: {row.reason}"
    return RejectedLine(source.node_id, source.boot_id, 0, row.place.offset, reason, text)
