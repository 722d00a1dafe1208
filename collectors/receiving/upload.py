"""What a sender posts: bytes of its spool, and between which two positions of it they stand."""

from dataclasses import dataclass, replace

from usage import Position

NEWLINE = b"\n"


class UploadError(Exception):
    """What was posted does not continue what was received; the message says why."""


class GapError(UploadError):
    """It begins behind the position reached: what lies between must come first."""


class OverlapError(UploadError):
    """It differs from what was received at the same positions of the same boot."""


@dataclass(frozen=True)
class Upload:
    """Whole lines, or with `stray` bytes that are no line, from `start` to `end` of one segment.

    `start` and `end` are positions of the sender's spool. Of whole lines every byte is in `body`; a
    stray is a line torn by the death of its writer, or far too long, and `body` its first bytes.
    """

    start: Position
    end: Position
    body: bytes
    stray: bool = False

    def after(self, reached: Position) -> "Upload | None":
        """Return what of this lies behind `reached`, or None when all was received before.

        Raises GapError when something would be left out, OverlapError when the part that was
        received before does not end where a line does.
        """
        if self.end <= reached:
            return None
        # Only the sender knows how long a segment is; it begins the next one when it sent all.
        begins_later_one = self.start.segment > reached.segment and self.start.offset == 0
        if self.start == reached or begins_later_one:
            return self
        if self.start > reached:
            raise GapError(
                f"position is segment {self.start.segment}, offset {self.start.offset}; accepted: "
                f"segment {reached.segment}, offset {reached.offset}, or offset 0 of a later one"
            )
        known_bytes = reached.offset - self.start.offset
        if self.stray or self.body[known_bytes - 1 : known_bytes] != NEWLINE:
            raise OverlapError(
                f"body has no line that begins at segment {reached.segment}, offset "
                f"{reached.offset}, the position reached; accepted: the bytes of the same boot"
            )
        return replace(self, start=reached, body=self.body[known_bytes:])
