"""The file of bearer tokens: who holds one and what it allows, but no token itself.

    [[tokens]]
    id = "5f0c9a1e3b7d"
    tenant = "search"
    sha256 = "64 digits in hex, of the token's ASCII"
    created_at = 2026-01-31T12:00:00Z
    expires_at = 2027-01-31T12:00:00Z   # optional
    admin = true                        # optional: may load and unload models
    models = ["digits"]                 # optional: may ask no other

A token is 256 random bits, so a plain SHA-256 of it is enough: slow, salted hashes (scrypt, argon2)
protect what people choose, of which an attacker can try the likely ones. Nobody can try 2^256, and
a slow hash would only let strangers keep the node busy.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from inference_node.errors import StartError
from inference_node.toml_file import read_toml
from usage.record import Name

TOKEN_BYTES = 32
# By this a token is recognised wherever it turns up: in a log, in a repository.
PREFIX = "icn_"

Instant = Annotated[datetime, Meta(tz=True)]


class TokenEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One token: `sha256` is the lower-case hex digest of it, `models` None means all."""

    id: Annotated[str, Meta(pattern="^[A-Za-z0-9._-]+$", max_length=64)]
    tenant: Name
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
    created_at: Instant
    expires_at: Instant | None = None
    admin: bool = False
    models: list[Name] | None = None


class _TokensFile(Struct, frozen=True, forbid_unknown_fields=True):
    tokens: Annotated[list[TokenEntry], Meta(max_length=100_000)] = field(default_factory=list)


def new_token() -> str:
    """Return a token of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(TOKEN_BYTES)


def digest_of(token: str) -> bytes:
    """Return the SHA-256 digest of `token`, which is ASCII."""
    return hashlib.sha256(token.encode("ascii")).digest()


def read_tokens_file(path: Path) -> list[TokenEntry]:
    """Return the entries of `path`; raises StartError naming file and field."""
    entries = read_toml(path, _TokensFile).tokens
    for name in ("id", "sha256"):
        seen: dict[str, int] = {}
        for number, entry in enumerate(entries):
            first = seen.setdefault(getattr(entry, name), number)
            if first != number:
                raise StartError(
                    f"{path}: tokens[{number}].{name} is that of tokens[{first}], too; "
                    "accepted: each once"
                )
    return entries


@contextlib.contextmanager
def changed_tokens_file(path: Path, *, create: bool = False) -> Iterator[list[TokenEntry]]:
    """Hand over the entries of `path` to change, and write them when the block ends without error.

    Readers see the old file or the new one, never half of one; who changes it at the same time
    waits. Only the owner may read the file. Raises StartError.
    """
    try:
        # A link stays one: what it points to is replaced.
        path = path.resolve()
        with _alone_in(path.parent):
            entries = read_tokens_file(path) if path.exists() or not create else []
            yield entries
            _replace(path, entries)
    # RuntimeError: links that lead in a circle.
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StartError(f"{path}: {reason}") from error


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    # On the folder, for the file itself is another one after each change.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _replace(path: Path, entries: list[TokenEntry]) -> None:
    # mkstemp's files are for the owner alone from the beginning.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if path.exists():
                # Root may add a token to the file of the user that the node runs as.
                owner = path.stat()
                with contextlib.suppress(PermissionError):
                    os.fchown(descriptor, owner.st_uid, owner.st_gid)
            file.write(_toml(entries))
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _toml(entries: list[TokenEntry]) -> str:
    parts = ["# Written by `python -m inference_node token`, which keeps no other comment.\n"]
    for entry in entries:
        lines = [
            "[[tokens]]",
            f"id = {_string(entry.id)}",
            f"tenant = {_string(entry.tenant)}",
            f"sha256 = {_string(entry.sha256)}",
            f"created_at = {_instant(entry.created_at)}",
        ]
        if entry.expires_at is not None:
            lines.append(f"expires_at = {_instant(entry.expires_at)}")
        if entry.admin:
            lines.append("admin = true")
        if entry.models is not None:
            lines.append(f"models = [{', '.join(map(_string, entry.models))}]")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _string(text: str) -> str:
    # JSON's escapes are among TOML's; what JSON leaves as it is and TOML does not is DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
