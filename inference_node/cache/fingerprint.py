"""What tells two model files apart. Knows nothing of the node, so that sessions may use it."""

import hashlib
from functools import partial
from pathlib import Path

DIGEST_BYTES = 20


def model_fingerprint(path: Path) -> str:
    """Return the BLAKE2b hash, in hex, of the file `path`. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(
            file, partial(hashlib.blake2b, digest_size=DIGEST_BYTES)
        ).hexdigest()
