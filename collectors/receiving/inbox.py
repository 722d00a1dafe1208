"""Everything that a receiver takes, boot by boot, into one spool."""

import logging
import threading
from pathlib import Path

from collectors.receiving.boot_inbox import BootInbox, InboxError
from collectors.receiving.upload import Upload
from usage import Position, boots

logger = logging.getLogger(__name__)


class Inbox:
    """The receiving side of `spool`. Thread-safe; batches of different boots go side by side.

    The caller vouches for the ids and for being the only process that receives into `spool`. What a
    killed receiver left half done is finished or undone before anything else.
    """

    def __init__(self, spool: Path) -> None:
        self._spool = spool
        self._lock = threading.Lock()
        self._boots: dict[tuple[str, str], BootInbox] = {}
        self._recover()

    def reached(self, node_id: str, boot_id: str) -> Position:
        """Return how far this boot was received. Raises InboxError."""
        return self._boot(node_id, boot_id).reached()

    def add(self, node_id: str, boot_id: str, upload: Upload) -> Position:
        """Store what of `upload` is new, durably, and return the position reached.

        Raises UploadErrors, when nothing of it is stored, and InboxError.
        """
        return self._boot(node_id, boot_id).add(upload)

    def _boot(self, node_id: str, boot_id: str) -> BootInbox:
        with self._lock:
            key = (node_id, boot_id)
            if key not in self._boots:
                self._boots[key] = BootInbox(self._spool, node_id, boot_id)
            return self._boots[key]

    def _recover(self) -> None:
        # Not only when its sender comes again: a node that is gone for good does not.
        for boot in boots(self._spool):
            if boot.held():
                try:
                    self.reached(boot.node_id, boot.boot_id)
                except InboxError as error:
                    # The others are received all the same, and this one's sender is told.
                    logger.error("%s", error)
