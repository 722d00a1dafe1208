"""What is imported, whatever the file is called: its content, as it was when it was first seen."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

from collectors.importing.block import Reached

# Names the boots of imports; any fixed UUID would do.
_NAMESPACE: Final = UUID("6f0b3c0e-6f5e-5d1c-9a55-0d2a4b0f7c11")
_PREFIX: Final = "import"
# Of a digest in names: 128 bits.
DIGEST_CHARACTERS: Final = 32
LONGEST_NAME: Final = 48
_KEY: Final = re.compile(rf"{_PREFIX}:([^:]+):([0-9a-f]+):([0-9]+):([0-9a-f]+)", re.ASCII)


@dataclass(frozen=True)
class Source:
    """The first `size` bytes of a file's content, whose SHA-256 begins with `digest`.

    `root` is the digest of what was first imported of it: where a file was appended to, that of
    the shorter one, else its own. `name` is what the file was called then. Records of one root are
    one boot.
    """

    name: str
    root: str
    size: int
    digest: str

    @property
    def key(self) -> str:
        """Its name in the database."""
        return f"{_PREFIX}:{self.name}:{self.root}:{self.size}:{self.digest}"

    @property
    def node_id(self) -> str:
        """The node that its records are of, unless the map says another."""
        return f"{_PREFIX}-{self.name}"

    @cached_property
    def boot_id(self) -> str:
        """The boot that its records are of."""
        return str(uuid5(_NAMESPACE, self.root))

    def record_ids(self, numbers: Sequence[int]) -> list[str]:
        """Return the ids of the rows with these numbers: always the same, and of no other row.

        They are UUIDs of version 8 (RFC 9562): 72 bits of a hash of the content, 48 of the number.
        """
        head = self._id_head
        return [f"{head}{number:012x}" for number in numbers]

    @cached_property
    def _id_head(self) -> str:
        mark = sha256(f"{self.size}:{self.digest}".encode()).hexdigest()
        return f"{mark[:8]}-{mark[8:12]}-8{mark[12:15]}-a{mark[15:18]}-"


@dataclass(frozen=True)
class Position:
    """How far a source is imported: `reached` in the file, and `seq` of its last record."""

    reached: Reached
    seq: int


BEGINNING: Final = Position(Reached(), 0)


def parse_source(key: str) -> Source | None:
    """Return the source that is called `key` in the database, None when it is no import."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    name, root, size, digest = match.groups()
    return Source(name, root, int(size), digest)


def name_of(path: Path) -> str:
    """Return the name of the file `path` without suffixes, fit to end the name of a node."""
    stem = Path(path.name.removesuffix(".gz")).stem
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-")[:LONGEST_NAME]
    return name or "file"
