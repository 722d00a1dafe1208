"""Bearer tokens: which tenant a request speaks for, and what it may do."""

import hmac
import logging
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inference_node.access.tokens_file import TokenEntry, digest_of, read_tokens_file
from inference_node.errors import ForbiddenError, StartError, UnauthorizedError

logger = logging.getLogger(__name__)

SECOND_US = 1_000_000
LONGEST_HEADER = 512
WANTED: Final = "accepted: header authorization with Bearer and a token that this node knows"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token stands for. `admin` may load and unload models, change settings and use shared
    memory; `models` None means all."""

    tenant: str
    admin: bool = False
    token_id: str = ""
    models: frozenset[str] | None = None

    def may_ask(self, model: str) -> bool:
        """Tell whether this token may ask `model`."""
        return self.models is None or model in self.models

    def require_model(self, model: str) -> None:
        """Raise ForbiddenError unless this token may ask `model`."""
        if not self.may_ask(model):
            raise ForbiddenError(f"this token may not ask model {model[:200]!r}")

    def require_admin(self) -> None:
        """Raise ForbiddenError unless this token is an administrator's."""
        if not self.admin:
            raise ForbiddenError("this token may not do that; it takes an administrator's")


@dataclass(frozen=True, slots=True)
class _Known:
    digest: bytes
    expires_us: float
    identity: Identity


# What tells that a file changed: a change of its mode alone may be what makes it readable.
_Mark = tuple[int, int, int, int] | None


class Tokens:
    """The tokens of a file, which is read again, at most once per second, when it has changed.

    A file that is broken or gone by then changes nothing, and the log says so once: a slip of an
    editor must not lock everybody out. `now_us` is the time, microseconds UTC. Raises StartError
    when the file cannot be used.
    """

    def __init__(
        self, path: Path, now_us: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._path = path
        self._now_us = now_us
        self._looked_us = now_us()
        self._warned = False
        self._mark, self._mode = self._look()
        self._known = _known(read_tokens_file(path))
        self._warn_of_mode()

    def authenticate(self, header: str | None) -> Identity:
        """Return whom the value of header `authorization` stands for; raises UnauthorizedError."""
        now_us = self._now_us()
        # A clock that was set back must not stop the reloading.
        if not 0 <= now_us - self._looked_us < SECOND_US:
            self._looked_us = now_us
            self._reload_if_changed()
        if not header:
            raise UnauthorizedError(f"the request brings no token; {WANTED}")
        scheme, _, token = header[: LONGEST_HEADER + 1].partition(" ")
        token = token.strip(" ")
        if (
            len(header) > LONGEST_HEADER
            or scheme.lower() != "bearer"
            or not token
            or not token.isascii()
        ):
            raise UnauthorizedError(f"header authorization is not understood; {WANTED}")
        # How long the look-up takes may tell something of the digest of what the client sent and of
        # the digests that are known. Neither is a secret of use: to send a digest that shares even
        # a few bytes with a known one takes trying tokens at random, and from a digest there is no
        # way to its token. Nothing that depends on the token itself is compared.
        digest = digest_of(token)
        found = self._known.get(digest)
        if found is None or not hmac.compare_digest(found.digest, digest):
            raise UnauthorizedError(f"the token is not known; {WANTED}")
        if now_us >= found.expires_us:
            raise UnauthorizedError(f"the token has expired; {WANTED}")
        return found.identity

    def _reload_if_changed(self) -> None:
        mark, mode = self._look()
        if mark == self._mark:
            return
        # Of before the reading: what changes meanwhile is seen the next time.
        self._mark, self._mode = mark, mode
        try:
            self._known = _known(read_tokens_file(self._path))
        except StartError as error:
            logger.error("%s; the tokens read before stay in force", error)
            return
        logger.info("%s: read again, %d tokens", self._path, len(self._known))
        self._warn_of_mode()

    def _look(self) -> tuple[_Mark, int]:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - a third of the time of Path.stat
        except (OSError, ValueError):
            return None, 0
        mark = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        return mark, stat.S_IMODE(found.st_mode)

    def _warn_of_mode(self) -> None:
        if self._mode & 0o006 and not self._warned:
            self._warned = True
            logger.warning(
                "%s: its mode is %04o, so that every user can read or change it; chmod 600 it",
                self._path,
                self._mode,
            )


def _known(entries: list[TokenEntry]) -> dict[bytes, _Known]:
    known = {}
    for entry in entries:
        digest = bytes.fromhex(entry.sha256)
        known[digest] = _Known(
            digest,
            float("inf") if entry.expires_at is None else entry.expires_at.timestamp() * SECOND_US,
            Identity(
                entry.tenant,
                entry.admin,
                entry.id,
                None if entry.models is None else frozenset(entry.models),
            ),
        )
    return known
