"""The token that a Prometheus server wants to see, in a file of its own."""

import logging
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

# Those of Kubernetes have about a thousand characters.
LONGEST = 16_384


class TokenFileError(Exception):
    """A file holds no token; the message names the file and nothing of what is in it."""


def read_token(path: Path) -> str:
    """Return the one token in the file `path`. Raises TokenFileError.

    Read anew for each request: those of Kubernetes are replaced every hour.
    """
    try:
        token = path.read_bytes().strip().decode("ascii")
    except OSError as error:
        raise TokenFileError(f"token_file is {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise TokenFileError(f"token_file is {path}: not ASCII; accepted: one token") from None
    if not token or len(token) > LONGEST or not token.isprintable() or " " in token:
        raise TokenFileError(
            f"token_file is {path}: accepted: one token of at most {LONGEST} characters "
            "without spaces"
        )
    return token


def warn_if_open(path: Path) -> None:
    """Log a warning when every user of the machine can read or change `path`."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # reading it tells why
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        logger.warning("%s: every user can read or change it; chmod 600 it", path)
