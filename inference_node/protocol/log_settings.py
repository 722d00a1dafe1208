"""Triton's logging extension: what of the log is written.

docs/protocol/extension_logging.md in triton-inference-server/server.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from inference_node.errors import InvalidRequestError

TimeFormat = Literal["default", "ISO8601"]
VerboseLevel = Annotated[int, Meta(ge=0, le=2**32 - 1)]

ACCEPTED = (
    "accepted: log_info, log_warning and log_error true or false, log_verbose_level from 0, "
    'log_format "default" or "ISO8601"; the log goes to stderr, so log_file stays empty'
)


class LogSettings(Struct, frozen=True):
    """Which events are written, debug ones from `log_verbose_level` 1 on; `log_format` is how lines
    of text tell the time."""

    log_info: bool = True
    log_warning: bool = True
    log_error: bool = True
    log_verbose_level: VerboseLevel = 0
    log_format: TimeFormat = "default"
    log_file: Literal[""] = ""


class LogUpdate(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change."""

    log_info: bool | UnsetType = UNSET
    log_warning: bool | UnsetType = UNSET
    log_error: bool | UnsetType = UNSET
    log_verbose_level: VerboseLevel | UnsetType = UNSET
    log_format: TimeFormat | UnsetType = UNSET
    log_file: Literal[""] | UnsetType = UNSET


def updated(settings: LogSettings, body: bytes) -> LogSettings:
    """Return `settings` with what `body` changes. Raises InvalidRequestError."""
    try:
        update = msgspec.json.decode(body or b"{}", type=LogUpdate)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(f"the log settings do not fit: {error}; {ACCEPTED}") from error
    changes = {name: value for name, value in structs.asdict(update).items() if value is not UNSET}
    return structs.replace(settings, **changes)


def encode_log_settings(settings: LogSettings) -> bytes:
    """Return the answer to a request for settings, or for a change of them."""
    return msgspec.json.encode(settings)
