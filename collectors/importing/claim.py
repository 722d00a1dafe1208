"""Which content a file has, how much of it is stored already, and that this process does the rest.

The content of a file is told by SHA-256 of all of it: another name does not matter, and another
file is another content. Where a file was appended to, its first bytes are a content that is known:
what follows them is imported as a content of its own, which begins where the known one ends.

Only one process at a time does what is here, and it notes in the database what it takes on before
it lets the next one look. So nobody begins behind a content that another process is still reading.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from collectors.importing.content import Content
from collectors.importing.digests import Digests
from collectors.importing.import_store import ImportStore
from collectors.importing.source import BEGINNING, Position, Source, name_of
from collectors.importing.source_lock import SourceLocks


@dataclass(frozen=True)
class Claim:
    """What to import: `source` from `start` on, which is where it ends when nothing is left."""

    source: Source
    start: Position


def claim(
    content: Content, store: ImportStore, locks: SourceLocks, checked: Callable[[int], None]
) -> Claim:
    """Take on what is not stored yet of `content`; `checked` is told how many bytes were read.

    Raises InputError, SourceBusyError and StoreErrors.
    """
    with locks.finding(lambda: checked(0)):
        known = store.positions()
        digests = _digests(content, [source.size for source in known], checked)
        fresh = _source_of(content, digests)
        begins = [source for source in known if digests.at.get(source.size) == source.digest]
        if not begins:
            locks.hold(fresh, content.path)
            store.claim(fresh, BEGINNING, None)
            return Claim(fresh, BEGINNING)
        # Of several, the longest: where it ends is where all before it is imported.
        source = max(begins, key=lambda one: one.size)
        start = known[source]
        # Also of a shorter one: it may be what another process is at.
        locks.hold(source, content.path)
        if source.size == digests.size:
            return Claim(source, start)
        if start.reached.rows and not _is_continued(source, known):
            fresh = replace(fresh, name=source.name, root=source.root)
        else:
            start = replace(start, seq=0)
        locks.hold(fresh, content.path)
        store.claim(fresh, start, source)
        # Complete by that, so nobody goes on with it; others may continue it in their way.
        locks.release(source)
        return Claim(fresh, start)


def unclaimed(content: Content, checked: Callable[[int], None]) -> Claim:
    """Return what to import of `content` when nothing is stored. Raises InputError."""
    return Claim(_source_of(content, _digests(content, [], checked)), BEGINNING)


def _digests(content: Content, sizes: list[int], checked: Callable[[int], None]) -> Digests:
    digests = Digests(sizes)
    for piece in content.pieces():
        digests.add(piece)
        checked(digests.size)
    return digests


def _source_of(content: Content, digests: Digests) -> Source:
    return Source(name_of(content.path), digests.digest, digests.size, digests.digest)


def _is_continued(source: Source, known: Iterable[Source]) -> bool:
    """Tell whether one of `known` goes on with the boot of `source`, which has one row a number."""
    return any(one.root == source.root and one.size > source.size for one in known)
