"""What is received of one boot: each batch a segment of its own, stored exactly once.

A batch takes three steps, each on the disk before the next; the answer is given after the last.

1. Its bytes go into a file of the next number, under a name that only a receiver looks at.
2. The state is replaced: this number, this position. From here on the batch is received.
3. The file gets its visible name, under which the collector reads and deletes it.

Killed before 2, the state does not know the number: the file is deleted, the sender sends again.
Killed after 2, the file bears the number of the state: it is made visible, and the sender learns
from the position that it need not send. Killed after 3, no hidden file is left, nothing is to do.
An error of the disk is settled the same way: there is one way back, and a kill takes it each time.

Why the collector, which reads and deletes at any moment, cannot come in between:

- It sees whole segments only, by one rename, and no lock is ever on them: closed from the first.
- It sees them in order. Number n + 1 is begun only when n is visible, also after a kill, so what it
  has not read never lies before what it has, where it would be deleted unread.
- It deletes hidden files that end in `.new`, not these. They also keep the folder, which it removes
  when it is empty. That can only hit before the file is created; then the folder is made again.
- Numbers go on from the state, not from the files: what was deleted does not come back as a number
  that the collector takes for stored. So the state is kept as long as the database.
"""

import contextlib
import errno
import threading
from pathlib import Path

from collectors.receiving.durable import make_folder_durably, sync_folder, write_durably
from collectors.receiving.inbox_state import (
    InboxState,
    InboxStateError,
    read_state,
    state_path,
    write_state,
)
from collectors.receiving.upload import Upload
from usage import Boot, Position
from usage.spool import HELD, segment_name

# The collector may remove the empty folder as often as it looks, between two system calls of ours.
ATTEMPTS = 1_000


class InboxError(Exception):
    """The spool cannot take the batch now, or tell how far it is; to send again does no harm.

    `reason` names no path; `reached` is the position, None where that cannot be told.
    """

    def __init__(self, message: str, reason: str, reached: Position | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.reached = reached


class BootInbox:
    """Takes what is posted of one boot. Thread-safe: one batch at a time.

    The caller vouches for the two ids, which become names of folders, and for being the only
    process that does this in `spool`.
    """

    def __init__(self, spool: Path, node_id: str, boot_id: str) -> None:
        self._spool = spool
        self._boot = Boot(spool / node_id / boot_id)
        self._state_path = state_path(spool, node_id, boot_id)
        self._lock = threading.Lock()
        # None where only the disk knows: at the beginning and after an error.
        self._state: InboxState | None = None
        self._has_folders = False

    def reached(self) -> Position:
        """Return how far the sender's spool was received. Raises InboxError."""
        with self._lock:
            try:
                return self._settled().position
            except OSError as error:
                raise self._error(error) from error

    def add(self, upload: Upload) -> Position:
        """Store what of `upload` is new, durably, and return the position reached.

        Raises UploadErrors, when nothing of it is stored, and InboxError.
        """
        with self._lock:
            try:
                state = self._settled()
                fresh = upload.after(state.position)
                if fresh is None:
                    return state.position
                self._state = None
                after = InboxState(state.number + 1, fresh.end.segment, fresh.end.offset)
                self._hold(after.number, fresh.body)
                write_state(self._state_path, after)
                self._show(after.number)
                self._state = after
            except OSError as error:
                with contextlib.suppress(OSError, InboxError):
                    self._settled()
                raise self._error(error) from error
            return after.position

    def _settled(self) -> InboxState:
        """Return the state, having finished or undone what an interrupted batch left."""
        if self._state is None:
            state = self._read_state()
            if state.number:
                # Its name may be newer than the disk, and what is told must stay so.
                sync_folder(self._state_path.parent)
            for number in self._boot.held():
                if number == state.number:
                    self._show(number)
                elif number > state.number:
                    self._held(number).unlink()
            foreign = self._last_visible()
            if foreign > state.number:
                raise InboxError(
                    f"{self._boot.folder}: segment {foreign} is not of this receiver, which wrote "
                    f"{state.number}; accepted: a boot that nobody else writes here",
                    "something else writes this boot in the same spool",
                )
            self._state = state
        return self._state

    def _read_state(self) -> InboxState:
        try:
            return read_state(self._state_path)
        except InboxStateError as error:
            raise InboxError(str(error), "the state of this boot cannot be read") from error

    def _last_visible(self) -> int:
        with contextlib.suppress(FileNotFoundError):  # the collector removes the empty folder
            return max(self._boot.segments(), default=0)
        return 0

    def _hold(self, number: int, body: bytes) -> None:
        if not self._has_folders:
            make_folder_durably(self._state_path.parent, self._spool)
        made = not self._has_folders
        for _ in range(ATTEMPTS):
            try:
                write_durably(self._held(number), body)
                break
            except FileNotFoundError:
                self._boot.folder.mkdir(parents=True, exist_ok=True)
                made = True
        else:
            raise FileNotFoundError(errno.ENOENT, "the folder vanishes again and again")
        sync_folder(self._boot.folder)
        if made:
            make_folder_durably(self._boot.folder, self._spool)
        self._has_folders = True

    def _show(self, number: int) -> None:
        self._held(number).rename(self._boot.folder / segment_name(number))
        # Gone: the collector has stored the segment already and removed the empty folder.
        with contextlib.suppress(FileNotFoundError):
            sync_folder(self._boot.folder)

    def _held(self, number: int) -> Path:
        return self._boot.folder / f".{segment_name(number)}{HELD}"

    def _error(self, error: OSError) -> InboxError:
        reason = error.strerror or type(error).__name__
        message = f"{error.filename or self._boot.folder}: {reason}"
        return InboxError(message, reason, self._state.position if self._state else None)
