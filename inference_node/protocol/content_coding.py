"""Header fields Content-Encoding and Accept-Encoding (RFC 9110, section 8.4 and 12.5.3)."""

import zlib
from functools import lru_cache
from typing import Literal

from inference_node.errors import BodyTooLargeError, ContentCodingError, InvalidRequestError

Coding = Literal["gzip", "deflate"]

# zlib's window bits: +16 for the gzip format; deflate is the zlib format, as RFC 9110 says.
WINDOW_BITS: dict[str, int] = {
    "gzip": zlib.MAX_WBITS + 16,
    "x-gzip": zlib.MAX_WBITS + 16,
    "deflate": zlib.MAX_WBITS,
}
# A file that decompresses to itself would keep the node busy for as many codings as a header holds.
MOST_CODINGS = 2

# Answers are small and wait for it: speed before size, and nothing where it gains nothing.
LEVEL = 1
SMALLEST_ENCODED_BYTES = 1024


def decode_content(body: bytes, content_encoding: str, max_bytes: int) -> bytes:
    """Return `body` without the codings that header `content_encoding` lists.

    Raises ContentCodingError for an unknown coding or too many, BodyTooLargeError as soon as more
    than `max_bytes` come out, InvalidRequestError for data that are torn, broken or followed by
    others; a gzip body is one member.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    for coding in codings:
        if coding not in WINDOW_BITS:
            raise ContentCodingError(
                f"Content-Encoding is {coding[:200]!r}; accepted: gzip, deflate, identity"
            )
    if len(codings) > MOST_CODINGS:
        raise ContentCodingError(
            f"Content-Encoding lists {len(codings)} codings; accepted: at most {MOST_CODINGS}"
        )
    for coding in reversed(codings):
        body = _decompressed(body, coding, max_bytes)
    return body


def encode_content(parts: list[bytes], coding: Coding) -> bytes:
    """Return `parts`, one after the other, in `coding`."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW_BITS[coding])
    return b"".join([*(compressor.compress(part) for part in parts), compressor.flush()])


@lru_cache(maxsize=64)
def accepted_coding(accept_encoding: str) -> Coding | None:
    """Return the coding that header `accept_encoding` likes best, gzip of equals.

    None where it accepts none of ours or would rather have none. What cannot be read is ignored.
    """
    weights = dict(_weighted(element) for element in accept_encoding.lower().split(","))
    other = weights.get("*", 0.0)
    gzip = weights.get("gzip", weights.get("x-gzip", other))
    deflate = weights.get("deflate", other)
    if max(gzip, deflate) <= 0 or max(gzip, deflate) < weights.get("identity", 0.0):
        return None
    return "gzip" if gzip >= deflate else "deflate"


def _weighted(element: str) -> tuple[str, float]:
    """Return a coding and its weight from 0 to 1, 0 where the weight is none."""
    coding, _, parameter = element.partition(";")
    name, _, value = parameter.partition("=")
    if not parameter.strip():
        return coding.strip(), 1.0
    digits = value.strip()
    plain = name.strip() == "q" and digits.replace(".", "", 1).isdecimal() and digits.isascii()
    weight = float(digits) if plain and len(digits) <= len("0.000") else 0.0
    return coding.strip(), weight if weight <= 1 else 0.0


def _decompressed(body: bytes, coding: str, max_bytes: int) -> bytes:
    decompressor = zlib.decompressobj(WINDOW_BITS[coding])
    try:
        # One byte more than allowed shows that there is more, and nothing beyond it is produced.
        content = decompressor.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise InvalidRequestError(f"the body is not {coding}: {error}") from error
    if len(content) > max_bytes:
        raise BodyTooLargeError(
            f"the decompressed body has more than {max_bytes} bytes; accepted: at most that many"
        )
    if not decompressor.eof:
        raise InvalidRequestError(f"the {coding} body ends too early")
    if decompressor.unused_data:
        raise InvalidRequestError(
            f"{len(decompressor.unused_data)} bytes follow the end of the {coding} body"
        )
    return content
