"""The import of one file: its rows, batch by batch, into the database or nowhere."""

from collections.abc import Callable, Iterator
from typing import Final

from collectors.importing.block import TEXT_BYTES, Reached, RejectedRow
from collectors.importing.claim import Claim
from collectors.importing.errors import MisfitError
from collectors.importing.input_file import InputFile
from collectors.importing.row_converter import RowConverter
from collectors.importing.source import Position, Source
from collectors.importing.summary import Imported
from store import Batch, RejectedLine

# Per commit. Rejected rows take the store some half a millisecond each, while it has the file.
BATCH_ROWS: Final = 50_000
BATCH_REJECTED: Final = 500
# A map by which none of so many first rows is a fact is meant for another file.
MISFIT_ROWS: Final = 100
FIRST_REJECTS: Final = 5

# Stores a batch, which is the source from the first position to the second, whole or not at all.
Store = Callable[[Source, Batch, Position, Position], None]


class FileImport:
    """Hands what is left of `file`, as `claim` says, to `store`, some `batch_rows` at a time.

    `imported` is what was done so far. Raises InputError.
    """

    def __init__(
        self, file: InputFile, claim: Claim, store: Store, *, batch_rows: int = BATCH_ROWS
    ) -> None:
        self._source = claim.source
        self._rows = file.rows(claim.source.size)
        self._converter = RowConverter(file.import_map, claim.source)
        self._store_batch = store
        self._batch_rows = batch_rows
        self._batch = Batch()
        self._stored = self._read = claim.start
        self.extent = self._rows.extent
        self.imported = Imported(str(file.content.path), claim.start.reached.rows)

    def blocks(self) -> Iterator[Reached]:
        """Import block by block, and yield how far the file is read after each.

        What was stored before an error stays. Raises MisfitError when the map does not fit,
        InputError, and what the store raises.
        """
        for block in self._rows.blocks(self._read.reached):
            records, rejected = self._converter.split(block, self._read.seq)
            self._batch.records += records
            self._batch.rejected += map(self._line, rejected)
            self._read = Position(block.reached, self._read.seq + len(records))
            if (
                len(self._batch.records) >= self._batch_rows
                or len(self._batch.rejected) >= BATCH_REJECTED
            ):
                self._store()
            yield block.reached
        self._store()

    def _store(self) -> None:
        if self._read == self._stored:
            return
        batch, self._batch = self._batch, Batch()
        before, imported = self._stored.reached, self.imported
        records, rejected = len(batch.records), len(batch.rejected)
        if not before.rows and not records and rejected >= MISFIT_ROWS:
            raise MisfitError(
                f"{imported.file}: none of the first {rejected:,} rows is a request by this "
                f"map, so nothing is stored; {batch.rejected[0].reason}"
            )
        self._store_batch(self._source, batch, self._stored, self._read)
        imported.rows += self._read.reached.rows - before.rows
        imported.stored += records
        imported.rejected += rejected
        left = FIRST_REJECTS - len(imported.first_rejects)
        imported.first_rejects += [line.reason for line in batch.rejected[:left]]
        self._stored = self._read

    def _line(self, row: RejectedRow) -> RejectedLine:
        place = row.place
        text = place.text[:TEXT_BYTES].decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        reason = f"{place.called}: {row.reason}"
        node_id, boot_id = self._converter.node_id, self._source.boot_id
        return RejectedLine(node_id, boot_id, 0, place.offset, reason, text)
