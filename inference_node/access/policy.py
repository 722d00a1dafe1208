"""Whether a node asks for tokens at all."""

import ipaddress
from collections.abc import Callable
from pathlib import Path

from inference_node.access.tokens import Tokens
from inference_node.config import AccessConfig
from inference_node.errors import StartError


def access_policy(
    config: AccessConfig,
    host: str,
    config_file: Path | None,
    now_us: Callable[[], int] | None = None,
) -> Tokens | None:
    """Return the tokens of which every request has to bring one, None when anybody may ask.

    Without tokens only this machine is served: `host` is what the node listens on. `now_us` is the
    time by which tokens expire, the wall clock's when it is None. Raises StartError when tokens
    are needed and not there, or the file of tokens cannot be used.
    """
    place = "the configuration" if config_file is None else str(config_file)
    if config.tokens_file is not None:
        if config.allow_anonymous:
            raise StartError(
                f"{place}: access.tokens_file and access.allow_anonymous contradict each other; "
                "remove one of them"
            )
        path = Path(config.tokens_file)
        if not path.exists():
            raise StartError(
                f"{place}: access.tokens_file {path}: no such file; "
                f"`python -m inference_node token --file {path} --tenant NAME` makes one"
            )
        return Tokens(path) if now_us is None else Tokens(path, now_us)
    if config.allow_anonymous or _is_loopback(host):
        return None
    raise StartError(
        f"{place}: listening on {host or 'every address'} needs access.tokens_file, or "
        "access.allow_anonymous = true if something in front of the node checks who asks"
    )


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:  # a name: where it leads is not known
        return False
