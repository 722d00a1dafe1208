"""What content is told apart by: SHA-256 of all of it, and of its beginnings."""

from collections.abc import Collection
from hashlib import sha256

from collectors.importing.source import DIGEST_CHARACTERS


class Digests:
    """Of content that arrives piece by piece: the digest of all of it, and of its first bytes.

    `at` gives the digest of as many first bytes as each of `sizes` says, where there are so many.
    """

    def __init__(self, sizes: Collection[int]) -> None:
        self._hash = sha256()
        self._cuts = sorted(set(sizes), reverse=True)
        self.size = 0
        self.at: dict[int, str] = {}

    def add(self, piece: bytes) -> None:
        """Take the next `piece`."""
        begin = 0
        while self._cuts and self._cuts[-1] <= self.size + len(piece) - begin:
            cut = self._cuts.pop()
            end = begin + cut - self.size
            self._take(piece[begin:end])
            self.at[cut] = self.digest
            begin = end
        self._take(piece[begin:])

    def _take(self, piece: bytes) -> None:
        self._hash.update(piece)
        self.size += len(piece)

    @property
    def digest(self) -> str:
        """Of all that was added."""
        return self._hash.hexdigest()[:DIGEST_CHARACTERS]
