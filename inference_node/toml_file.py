"""A TOML file as a typed value, with errors that name file and field."""

import tomllib
from pathlib import Path
from typing import TypeVar

import msgspec

from inference_node.errors import StartError

Typed = TypeVar("Typed")


def read_toml(path: Path, kind: type[Typed]) -> Typed:
    """Return the content of `path` as `kind`; raises StartError when it is missing or wrong."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), kind)
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}") from error
    # ValueError: no UTF-8, no TOML, or a number of more digits than Python reads.
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise StartError(f"{path}: {' '.join(str(error).split())}") from error
