"""Addresses of other servers, as a user writes them."""

from urllib.parse import SplitResult, urlsplit

ACCEPTED = "http://host:port or https://host/path, without user and password"


def split_address(url: str) -> SplitResult:
    """Return the parts of an address that can be asked.

    Raises ValueError for any other, without a word of it: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        extra = parts.username or parts.password or parts.query or parts.fragment
        accepted = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        # As they are sent; what cannot be is a ValueError, too.
        (parts.hostname or "").encode("idna")
        parts.path.encode("ascii")
    except ValueError:
        accepted, extra = None, None
    if not accepted or extra:
        raise ValueError(f"no address; accepted: {ACCEPTED}")
    return parts
