"""Which paths there are, and what each of them takes."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from inference_node.errors import MethodNotAllowedError, NotFoundError

# What follows `/v2/models/<model>[/versions/<version>]`: method and name of the action.
OF_A_MODEL = {
    (): ("GET", "metadata"),
    ("ready",): ("GET", "model_ready"),
    ("config",): ("GET", "config"),
    ("stats",): ("GET", "stats"),
    ("infer",): ("POST", "infer"),
    ("jobs",): ("POST", "jobs"),
}
OF_THE_NODE = {
    "/v2": ("GET", "server"),
    "/v2/health/live": ("GET", "live"),
    "/v2/health/ready": ("GET", "ready"),
    "/v2/models/stats": ("GET", "stats"),
    "/v2/repository/index": ("POST", "index"),
    "/predict": ("POST", "predict"),
    "/metrics": ("GET", "metrics"),
    "/openapi.json": ("GET", "openapi"),
}

LONGEST_REMEMBERED = 256


@dataclass(frozen=True)
class Route:
    """What a request is for, and the model and version that its path names."""

    action: str
    model: str | None = None
    version: str | None = None


def find_route(method: str, path: str) -> Route:
    """Return the route of a request.

    Raises NotFoundError, or MethodNotAllowedError that says which method there is.
    """
    # Paths come from strangers and may be as long as a head: such ones are not worth keeping.
    return _remembered(method, path) if len(path) <= LONGEST_REMEMBERED else _checked(method, path)


def _checked(method: str, path: str) -> Route:
    expected, route = _find(path)
    if method != expected and (method, expected) != ("HEAD", "GET"):
        message = f"{path[:200]} takes {expected}, not {method}"
        raise MethodNotAllowedError(message, "GET, HEAD" if expected == "GET" else expected)
    return route


_remembered = lru_cache(maxsize=1024)(_checked)


def _find(path: str) -> tuple[str, Route]:
    if path in OF_THE_NODE:
        method, action = OF_THE_NODE[path]
        return method, Route(action)
    match [unquote(segment) for segment in path.split("/")]:
        case ["", "v2", "models", model, "versions", version, *rest] if tuple(rest) in OF_A_MODEL:
            method, action = OF_A_MODEL[tuple(rest)]
            return method, Route(action, model, version)
        case ["", "v2", "models", model, *rest] if tuple(rest) in OF_A_MODEL:
            method, action = OF_A_MODEL[tuple(rest)]
            return method, Route(action, model)
        case ["", "v2", "repository", "models", model, "load" | "unload" as action]:
            return "POST", Route(action, model)
    raise NotFoundError(f"no such path: {path[:200]}")
