"""What a request asks the receiver for: the boot in its path, the upload in path and body."""

import re
from typing import Final, get_args

from aiohttp import web

from collectors.receiving.request_body import RequestError, read_body
from collectors.receiving.upload import NEWLINE, Upload
from usage import Position
from usage.record import NodeId, Uuid

BOOT_PATH: Final = "/v1/spool/{node_id}/{boot_id}"
UPLOAD_PATH: Final = BOOT_PATH + "/{segment}/{offset}"
# Both become names of folders, so not a character more than the pattern, not even a newline.
NAMES: Final = {"node_id": get_args(NodeId)[1].pattern, "boot_id": get_args(Uuid)[1].pattern}
# Fits into 64 bits.
NUMBER: Final = re.compile(r"[0-9]{1,18}")
BODY_S: Final = 120.0


def boot_of(request: web.Request) -> tuple[str, str]:
    """Return node_id and boot_id, fit to be names of folders. Raises RequestError."""
    return _name(request, "node_id"), _name(request, "boot_id")


async def upload_of(request: web.Request, limit_bytes: int) -> Upload:
    """Return what is posted, `limit_bytes` at most when unpacked. Raises RequestError."""
    start = Position(
        _number("segment", request.match_info["segment"], 1),
        _number("offset", request.match_info["offset"], 0),
    )
    stray_end = _stray_end(request, start)
    body = await read_body(request, limit_bytes, BODY_S)
    if not body:
        raise RequestError(400, "body is empty; accepted: at least one line")
    if stray_end is not None:
        return Upload(start, Position(start.segment, stray_end), body, stray=True)
    if not body.endswith(NEWLINE):
        raise RequestError(400, "body does not end in a newline; accepted: whole lines")
    return Upload(start, Position(start.segment, start.offset + len(body)), body)


def _name(request: web.Request, field: str) -> str:
    value = request.match_info[field]
    if re.fullmatch(NAMES[field], value) is None:
        raise RequestError(400, f"{field} is {value[:100]!r}; accepted: {NAMES[field]}")
    return value


def _number(field: str, value: str, least: int) -> int:
    if NUMBER.fullmatch(value) is None or int(value) < least:
        raise RequestError(
            400,
            f"{field} is {value[:100]!r}; accepted: a whole number from {least}, "
            "of at most 18 digits",
        )
    return int(value)


def _stray_end(request: web.Request, start: Position) -> int | None:
    unknown = sorted(set(request.query) - {"stray_end"})
    if unknown:
        raise RequestError(400, f"query has {unknown[0][:100]!r}; accepted: stray_end")
    if "stray_end" not in request.query:
        return None
    return _number("stray_end", request.query["stray_end"], start.offset + 1)
