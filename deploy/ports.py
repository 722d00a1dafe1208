"""Ports of this machine: one that is free, and who answers there."""

import socket
import time
import urllib.error
import urllib.request

from deploy.processes import Child, ChildError


def free_port(wanted: int) -> int:
    """Return `wanted`, or a free port when it is taken or 0. Raises ChildError."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ChildError("no free port on 127.0.0.1")


def await_dashboard(dashboard: Child, url: str, wait_s: float) -> None:
    """Return once the dashboard at `url` serves.

    Raises ChildError when it ends, or does not within `wait_s`.
    """
    give_up_at = time.monotonic() + wait_s
    while http_status(f"{url}/_stcore/health") != 200:
        dashboard.require_running()
        if time.monotonic() > give_up_at:
            raise ChildError(f"dashboard did not answer in {wait_s:g} s")
        time.sleep(0.1)


def http_status(url: str) -> int | None:
    """Return the status that `url` is answered with, None where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own http URL
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
