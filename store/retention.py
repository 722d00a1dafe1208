"""How long each kind of data is kept, and in what form: `data/retention.toml`."""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from store.errors import StoreError

Hours = Annotated[int, Meta(ge=1, le=24 * 366)]
Days = Annotated[int, Meta(ge=1, le=100 * 366)]


class RetentionError(StoreError):
    """A retention file that cannot be read; the message names file, field and what is accepted."""


class Retention(Struct, frozen=True, forbid_unknown_fields=True):
    """Null keeps for ever.

    Raw facts are in the database for `hot_hours` after they arose, then in the archive until they
    are `archive_days` old. Rollups are by minute for `minute_days`, then by hour.
    """

    hot_hours: Hours = 2
    archive_days: Days | None = None
    minute_days: Days = 3
    rejected_days: Days | None = 90
    commit_days: Days | None = 30


def load_retention(path: Path) -> Retention:
    """Return what the TOML file `path` says. Raises RetentionError."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Retention)
    except OSError as error:
        raise RetentionError(f"{path}: {error.strerror}; leave the option out for defaults") from (
            error
        )
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise RetentionError(f"{path}: {error}") from error
