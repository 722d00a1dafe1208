"""The tokens that senders show: who holds one may send for any node."""

import hmac
import logging
import stat
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

logger = logging.getLogger(__name__)

LONGEST_TOKEN = 256


class TokenFileError(Exception):
    """A file of tokens cannot be used; the message names file and line, and no token."""


class BearerTokens:
    """Knows some tokens and tells whether a request shows one of them."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._digests = [_digest(token) for token in tokens]

    def allow(self, header: str | None) -> bool:
        """Tell whether `header`, the value of authorization, is Bearer and a known token.

        The time it takes tells nothing of the tokens: digests are compared, and all of them.
        """
        scheme, _, token = (header or "").partition(" ")
        digest = _digest(token.strip(" "))
        known = sum(hmac.compare_digest(digest, other) for other in self._digests)
        return known > 0 and scheme.lower() == "bearer"


def read_token_file(path: Path) -> list[str]:
    """Return the tokens in `path`, one per line; there is at least one. Raises TokenFileError."""
    try:
        if path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            logger.warning("%s: every user can read or change it; chmod 600 it", path)
        lines = path.read_text("ascii").splitlines()
    except OSError as error:
        raise TokenFileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TokenFileError(f"{path}: not ASCII; accepted: a token per line") from error
    tokens = []
    for number, line in enumerate(lines, 1):
        token = line.strip()
        if token and (len(token) > LONGEST_TOKEN or not token.isprintable() or " " in token):
            raise TokenFileError(
                f"{path}: line {number}; accepted: a token of at most {LONGEST_TOKEN} "
                "characters without spaces"
            )
        if token:
            tokens.append(token)
    if not tokens:
        raise TokenFileError(f"{path}: no token in it; accepted: a token per line")
    return tokens


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()
