"""Spool to receiver: sends what a node wrote, and deletes it once the receiver has it durably.

The receiver's word is the only memory: a forwarder that was killed asks it how far it is and goes
on from there, so nothing is stored here that could be wrong. Only what lies before a position that
the receiver told is deleted.

A torn last line of a dead writer, and one too long to be a line, are sent as what they are: bytes
up to a position, without a newline. The receiver's segment ends in them as the sender's does, so
its collector rejects them even when they happen to be whole JSON, as it would have done here.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from collectors.forwarding.receiver_client import (
    Answer,
    ReceiverClient,
    RefusedError,
    UnreachableError,
)
from usage import Boot, Chunk, Position, boots
from usage.spool import LONGEST_LINE_BYTES, segment_name

logger = logging.getLogger(__name__)

# With the rest of the line it cuts, at most 8 MiB are sent at once.
CHUNK_BYTES = 8 * 2**20 - LONGEST_LINE_BYTES


@dataclass
class Round:
    """What one round did: `lines` and `bytes` sent and acknowledged; `more` is there to be sent at
    once; `trouble` is why something was not sent, the last of it, or empty."""

    lines: int = 0
    bytes: int = 0
    more: bool = False
    trouble: str = ""


class Forwarder:
    """Sends `spool` to the receiver behind `client`; the only one that reads and deletes in it."""

    def __init__(
        self, spool: Path, client: ReceiverClient, *, chunk_bytes: int = CHUNK_BYTES
    ) -> None:
        self._spool = spool
        self._client = client
        self._chunk_bytes = chunk_bytes
        self._positions: dict[Boot, Position] = {}
        # What was said last of what does not go: the whole (None) or a boot, and the kind of it.
        self._troubles: dict[Boot | None, type[Exception]] = {}

    def forward_round(self) -> Round:
        """Send the next chunk of every boot and delete what the receiver has; tell what was done.

        What fails is logged when it begins and when it ends, and tried again in the next round.
        Raises TokenRefusedError.
        """
        done = Round()
        found = boots(self._spool)
        there = set(found)
        self._positions = {boot: at for boot, at in self._positions.items() if boot in there}
        for boot in found:
            try:
                self._forward(boot, done)
            except UnreachableError as error:
                # So it is for the other boots.
                self._note(None, error, done)
                return done
            except RefusedError as error:
                self._clear(None)
                self._note(boot, error, done)
            except OSError as error:
                self._note(boot, error, done)
            else:
                self._clear(boot)
        return done

    def _forward(self, boot: Boot, done: Round) -> None:
        numbers = boot.segments()
        if not numbers:
            boot.delete_consumed(Position())
            return
        # Asked before the lines are read: what is written from now on is for the next round.
        due = Position(numbers[-1], (boot.folder / segment_name(numbers[-1])).stat().st_size)
        if boot not in self._positions:
            self._take(boot, self._client.reached(boot), done)
        chunk = boot.read(self._positions[boot], self._chunk_bytes)
        if chunk is not None:
            self._send(boot, chunk, done)
            done.more |= chunk.end < due
        boot.delete_consumed(self._positions[boot])

    def _send(self, boot: Boot, chunk: Chunk, done: Round) -> None:
        if chunk.data:
            self._take(boot, self._client.send(boot, chunk.start, chunk.data), done)
            done.lines += chunk.data.count(b"\n")
            done.bytes += len(chunk.data)
        if chunk.stray is not None:
            stray = chunk.stray
            start = Position(chunk.segment, stray.offset)
            answer = self._client.send(boot, start, stray.head, stray_end=chunk.end.offset)
            self._take(boot, answer, done)
            logger.warning("%s/%s: forwarded to be rejected: %s", *_names(boot), stray.reason)
            done.lines += 1
            done.bytes += len(stray.head)

    def _take(self, boot: Boot, answer: Answer, done: Round) -> None:
        self._clear(None)
        self._positions[boot] = answer.reached
        if not answer.accepted:
            # From where the receiver wants it.
            done.more = True
            raise RefusedError(answer.words)

    def _note(self, what: Boot | None, error: Exception, done: Round) -> None:
        done.trouble = str(error)
        if self._troubles.get(what) is type(error):
            return
        self._troubles[what] = type(error)
        if what is None:
            logger.warning("the receiver cannot be reached: %s; trying again", error)
        else:
            logger.warning("%s/%s: %s; trying again", *_names(what), error)

    def _clear(self, what: Boot | None) -> None:
        if self._troubles.pop(what, None) is None:
            return
        if what is None:
            logger.info("the receiver answers again")
        else:
            logger.info("%s/%s: forwarded again", *_names(what))


def _names(boot: Boot) -> tuple[str, str]:
    return boot.node_id, boot.boot_id
