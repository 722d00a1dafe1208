"""The memory of a receiver: how far it has one boot, and the number of the last batch of it."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from collectors.receiving.durable import replace_durably
from usage import Position

# In the spool, and hidden: it is no node.
STATES = ".receiver"


class InboxStateError(Exception):
    """The file of a state does not hold one; the message names the file."""


class InboxState(Struct, frozen=True, forbid_unknown_fields=True):
    """Batch `number` is durably here, the last so far; it ended at `segment`, `offset` of the
    sender's spool. The default is that of a boot of which nothing was received."""

    number: Annotated[int, Meta(ge=0)] = 0
    segment: Annotated[int, Meta(ge=1)] = 1
    offset: Annotated[int, Meta(ge=0)] = 0

    @property
    def position(self) -> Position:
        """How far the sender's spool was received."""
        return Position(self.segment, self.offset)


def state_path(spool: Path, node_id: str, boot_id: str) -> Path:
    """Return where the state of a boot is kept."""
    return spool / STATES / node_id / f"{boot_id}.json"


def read_state(path: Path) -> InboxState:
    """Return the state in `path`, the default when there is none.

    Raises InboxStateError for a file that holds something else, for to begin anew would be to
    store everything twice, and OSError.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=InboxState)
    except FileNotFoundError:
        return InboxState()
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InboxStateError(f"{path}: {error}") from error


def write_state(path: Path, state: InboxState) -> None:
    """Replace the state in `path`, durably; its folder exists. Raises OSError."""
    replace_durably(path, msgspec.json.encode(state))
