"""One run of the import: some files, one after the other."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from collectors.importing.claim import Claim, claim, unclaimed
from collectors.importing.errors import StoppedError
from collectors.importing.file_import import FileImport, Store
from collectors.importing.import_store import ImportStore
from collectors.importing.input_file import InputFile
from collectors.importing.progress import Progress
from collectors.importing.source_lock import SourceLocks
from collectors.importing.summary import Imported
from collectors.stop_signal import StopSignal


class ImportRun:
    """Imports `files`, with at most some `batch_rows` in a commit.

    `done` is what was done to each file that was begun, also after an error. All methods raise
    ImportingErrors and StoreErrors, of these StoppedError soon after `stop` is set.
    """

    def __init__(
        self,
        files: Sequence[InputFile],
        progress: Progress,
        *,
        batch_rows: int,
        stop: StopSignal,
    ) -> None:
        self._files = files
        self._progress = progress
        self._batch_rows = batch_rows
        self._stop = stop
        self.done: list[Imported] = []

    def store_in(self, database: Path) -> None:
        """Store what is not stored yet of every file in `database`."""
        self._require_columns()
        with (
            closing(SourceLocks(database)) as locks,
            closing(ImportStore(database, _now_us, self._note)) as store,
        ):
            for file in self._files:
                claimed = claim(file.content, store, locks, self._checking(file))
                # A database that was made anew from its archive has records, and no positions.
                ahead = store.is_ahead(claimed.source, claimed.start)
                self._import(file, claimed, partial(store.store, drop_known=ahead))

    def try_out(self) -> None:
        """Read all of every file and store nothing."""
        self._require_columns()
        for file in self._files:
            claimed = unclaimed(file.content, self._checking(file))
            self._import(file, claimed, lambda *_: None)

    def _require_columns(self) -> None:
        # What is wrong with any of them is better told before the first is stored.
        for file in self._files:
            file.require_columns()

    def _checking(self, file: InputFile) -> Callable[[int], None]:
        path = file.content.path
        size = None if file.content.is_packed else path.stat().st_size
        self._progress.begin(f"{path} (checking)", size)

        def checked(offset: int) -> None:
            self._require_going_on()
            self._progress.show(offset)

        return checked

    def _import(self, file: InputFile, claimed: Claim, store: Store) -> None:
        file_import = FileImport(file, claimed, store, batch_rows=self._batch_rows)
        imported, start = file_import.imported, claimed.start.reached
        self.done.append(imported)
        self._progress.begin(imported.file, file_import.extent, start.offset)
        for reached in file_import.blocks():
            self._require_going_on()
            self._progress.show(reached.offset, reached.rows - start.rows, imported.rejected)

    def _note(self, words: str) -> None:
        self._require_going_on()
        self._progress.note(words)

    def _require_going_on(self) -> None:
        if self._stop.is_set():
            raise StoppedError("stopped; run this again to go on")


def _now_us() -> int:
    return time.time_ns() // 1000
