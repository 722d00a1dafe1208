"""The body of a request, unpacked, within a limit."""

import asyncio
import zlib

from aiohttp import web

# Of packed bytes at a time; what comes out of them stops at the limit whatever it would become.
PIECE_BYTES = 2**16
GZIP = zlib.MAX_WBITS | 16
TRAILING = "body goes on behind the end of gzip; accepted: one gzip member"


class RequestError(Exception):
    """The request cannot be used as it is; the message names the field and what is accepted."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def read_body(request: web.Request, limit_bytes: int, timeout_s: float) -> bytes:
    """Return the body of `request`, which arrives within `timeout_s` and has at most `limit_bytes`.

    The application's runner must not unpack it. Raises RequestError.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip"):
        raise RequestError(415, f"content-encoding is {encoding[:50]!r}; accepted: gzip, or none")
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for piece in request.content.iter_any():
                body += piece
                if len(body) > limit_bytes:
                    raise RequestError(413, too_large(limit_bytes))
    except TimeoutError:
        raise RequestError(408, f"body has not arrived within {timeout_s:g} s") from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise RequestError(400, f"body breaks off: {error}") from error
    if encoding == "gzip":
        return await asyncio.to_thread(gunzip, bytes(body), limit_bytes)
    return bytes(body)


def gunzip(packed: bytes, limit_bytes: int) -> bytes:
    """Return what `packed`, one gzip member, holds.

    Raises RequestError; above the limit at once, however much would come.
    """
    member = zlib.decompressobj(wbits=GZIP)
    plain = bytearray()
    try:
        for begin in range(0, len(packed), PIECE_BYTES):
            if member.eof:
                raise RequestError(400, TRAILING)
            piece = packed[begin : begin + PIECE_BYTES]
            plain += member.decompress(piece, limit_bytes + 1 - len(plain))
            if len(plain) > limit_bytes:
                raise RequestError(413, too_large(limit_bytes))
    except zlib.error as error:
        raise RequestError(400, f"body is not gzip: {error}") from error
    if not member.eof:
        raise RequestError(400, "body is not gzip: it ends too early")
    if member.unused_data:
        raise RequestError(400, TRAILING)
    return bytes(plain)


def too_large(limit_bytes: int) -> str:
    """Return what to say of a body above `limit_bytes`."""
    return f"body is too large; accepted: at most {limit_bytes} bytes, unpacked"
