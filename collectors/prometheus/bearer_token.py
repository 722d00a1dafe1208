"""The token that a Prometheus server wants to see, in a file of its own."""

import logging
import stat
from pathlib import Path

from requests import PreparedRequest
from requests.auth import AuthBase

from collectors.prometheus.errors import PrometheusError

logger = logging.getLogger(__name__)

# Those of Kubernetes have about a thousand characters.
LONGEST = 16_384


class BearerToken(AuthBase):
    """Shows the one token in the file `path`, and no .netrc in its place.

    Read anew for each request, since those of Kubernetes are replaced every hour: a file without a
    token is a PrometheusError then, which names the file and nothing of what is in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            mode = path.stat().st_mode
        except OSError:
            return  # reading it tells why
        if mode & (stat.S_IROTH | stat.S_IWOTH):
            logger.warning("%s: every user can read or change it; chmod 600 it", path)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Add the header to `request`."""
        request.headers["Authorization"] = f"Bearer {self._read()}"
        return request

    def _read(self) -> str:
        try:
            token = self._path.read_bytes().strip().decode("ascii")
        except OSError as error:
            raise self._error(error.strerror or type(error).__name__) from error
        except UnicodeDecodeError:
            raise self._error("not ASCII; accepted: one token") from None
        if not token or len(token) > LONGEST or not token.isprintable() or " " in token:
            raise self._error(f"accepted: one token of at most {LONGEST} characters without spaces")
        return token

    def _error(self, words: str) -> PrometheusError:
        return PrometheusError(f"token_file is {self._path}: {words}")
