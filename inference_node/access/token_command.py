"""`python -m inference_node token`: makes tokens, lists and revokes them, in a file."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

from inference_node.access.tokens_file import (
    TokenEntry,
    changed_tokens_file,
    digest_of,
    new_token,
    read_tokens_file,
)
from inference_node.errors import StartError

ID_BYTES = 6
LONGEST_NAME = 128
MOST_DAYS = 36_500


def add_token_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `token` to `parser`."""
    parser.add_argument("--file", type=Path, required=True, help="made if it is not there")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--tenant", help="make a token for this tenant and print it, once")
    what.add_argument("--revoke", metavar="ID", help="remove a token")
    what.add_argument("--list", action="store_true", help="what is known of every token")
    may = "may load models, change settings and use shared memory"
    parser.add_argument("--admin", action="store_true", help=may)
    parser.add_argument("--expires-days", metavar="N", help="valid for so many days")
    parser.add_argument(
        "--model", action="append", metavar="NAME", help="may ask this one only; repeatable"
    )


def run_token(arguments: argparse.Namespace) -> int:
    """Do what the options of `token` say; a new token goes to stdout, all words to stderr.

    A running node follows within a second. Raises StartError.
    """
    for option in ("admin", "expires_days", "model"):
        if getattr(arguments, option) and arguments.tenant is None:
            raise StartError(f"--{option.replace('_', '-')} goes with --tenant")
    if arguments.list:
        _list(arguments.file)
    elif arguments.revoke is not None:
        _revoke(arguments.file, arguments.revoke)
    else:
        _add(arguments)
    return 0


def _add(arguments: argparse.Namespace) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    token = new_token()
    tenant = _name("--tenant", arguments.tenant)
    models = None if not arguments.model else [_name("--model", name) for name in arguments.model]
    expires_at = None
    if arguments.expires_days is not None:
        expires_at = now + timedelta(days=_days(arguments.expires_days))
    with changed_tokens_file(arguments.file, create=True) as entries:
        entry = TokenEntry(
            id=token_hex(ID_BYTES),
            tenant=tenant,
            sha256=digest_of(token).hex(),
            created_at=now,
            expires_at=expires_at,
            admin=arguments.admin,
            models=models,
        )
        entries.append(entry)
    _say(f"{arguments.file}: token {entry.id} of tenant {tenant}; it is shown only now:")
    sys.stdout.write(f"{token}\n")


def _revoke(file: Path, token_id: str) -> None:
    with changed_tokens_file(file) as entries:
        kept = [entry for entry in entries if entry.id != token_id]
        if len(kept) == len(entries):
            raise StartError(f"{file}: there is no token {token_id!r}; --list shows all")
        entries[:] = kept
    _say(f"{file}: token {token_id} is revoked")


def _list(file: Path) -> None:
    rows = [("id", "tenant", "created", "expires", "admin", "models")]
    for entry in read_tokens_file(file):
        expires = "never" if entry.expires_at is None else _day(entry.expires_at)
        if entry.expires_at is not None and entry.expires_at <= datetime.now(UTC):
            expires += " (expired)"
        models = "all" if entry.models is None else ",".join(map(_plain, entry.models)) or "none"
        admin = "yes" if entry.admin else "no"
        tenant = _plain(entry.tenant)
        rows.append((entry.id, tenant, _day(entry.created_at), expires, admin, models))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")


def _name(option: str, text: str) -> str:
    if not (0 < len(text) <= LONGEST_NAME and text.isprintable() and text == text.strip()):
        raise StartError(
            f"{option} is {text[:200]!r}; accepted: 1 to {LONGEST_NAME} printable characters"
        )
    return text


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 0 < int(text) <= MOST_DAYS):
        raise StartError(f"--expires-days is {text[:200]!r}; accepted: 1 to {MOST_DAYS}")
    return int(text)


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def _plain(text: str) -> str:
    return text if text.isprintable() else repr(text)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
