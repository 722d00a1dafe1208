"""Which paths there are, and what each of them takes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import unquote

from inference_node.errors import MethodNotAllowedError, NotFoundError

# Names of actions, by method.
Actions = Mapping[str, str]

# What follows `/v2/models/<model>[/versions/<version>]`.
OF_A_MODEL: Mapping[tuple[str, ...], Actions] = {
    (): {"GET": "metadata"},
    ("ready",): {"GET": "model_ready"},
    ("config",): {"GET": "config"},
    ("stats",): {"GET": "stats"},
    ("infer",): {"POST": "infer"},
    ("jobs",): {"POST": "jobs"},
}
# What follows `/v2/models/<model>` only: it is of all versions.
OF_ALL_VERSIONS: Mapping[tuple[str, ...], Actions] = {
    ("trace", "setting"): {"GET": "trace", "POST": "update_trace"},
}
# The first and last segment of `/v2/<...>/region/<region>/<...>`.
OF_A_REGION: Mapping[tuple[str, str], Actions] = {
    ("systemsharedmemory", "status"): {"GET": "system_memory"},
    ("systemsharedmemory", "register"): {"POST": "register_system_memory"},
    ("systemsharedmemory", "unregister"): {"POST": "unregister_system_memory"},
    ("cudasharedmemory", "status"): {"GET": "cuda_memory"},
    ("cudasharedmemory", "register"): {"POST": "register_cuda_memory"},
    ("cudasharedmemory", "unregister"): {"POST": "unregister_cuda_memory"},
}
OF_THE_NODE: Mapping[str, Actions] = {
    "/v2": {"GET": "server"},
    "/v2/health/live": {"GET": "live"},
    "/v2/health/ready": {"GET": "ready"},
    "/v2/models/stats": {"GET": "stats"},
    "/v2/repository/index": {"POST": "index"},
    "/v2/trace/setting": {"GET": "trace", "POST": "update_trace"},
    "/v2/logging": {"GET": "log", "POST": "update_log"},
    "/v2/systemsharedmemory/status": {"GET": "system_memory"},
    "/v2/systemsharedmemory/unregister": {"POST": "unregister_system_memory"},
    "/v2/cudasharedmemory/status": {"GET": "cuda_memory"},
    "/v2/cudasharedmemory/unregister": {"POST": "unregister_cuda_memory"},
    "/predict": {"POST": "predict"},
    "/metrics": {"GET": "metrics"},
    "/openapi.json": {"GET": "openapi"},
}

LONGEST_REMEMBERED = 256


@dataclass(frozen=True)
class Route:
    """What a request is for, and the model and version, or the region of shared memory, that its
    path names."""

    action: str
    model: str | None = None
    version: str | None = None
    region: str | None = None


def find_route(method: str, path: str) -> Route:
    """Return the route of a request.

    Raises NotFoundError, or MethodNotAllowedError that says which method there is.
    """
    # Paths come from strangers and may be as long as a head: such ones are not worth keeping.
    return _remembered(method, path) if len(path) <= LONGEST_REMEMBERED else _checked(method, path)


def _checked(method: str, path: str) -> Route:
    actions, route = _find(path)
    action = actions.get("GET" if method == "HEAD" else method)
    if action is None:
        message = f"{path[:200]} takes {' and '.join(actions)}, not {method}"
        allowed = ", ".join(actions).replace("GET", "GET, HEAD")
        raise MethodNotAllowedError(message, allowed)
    return replace(route, action=action)


_remembered = lru_cache(maxsize=1024)(_checked)


def _find(path: str) -> tuple[Actions, Route]:
    """Return what can be asked at `path`, and a route that lacks only which of that it is."""
    if path in OF_THE_NODE:
        return OF_THE_NODE[path], Route("")
    match [unquote(segment) for segment in path.split("/")]:
        case ["", "v2", "models", model, "versions", version, *rest] if tuple(rest) in OF_A_MODEL:
            return OF_A_MODEL[tuple(rest)], Route("", model, version)
        case ["", "v2", "models", model, *rest] if tuple(rest) in OF_A_MODEL:
            return OF_A_MODEL[tuple(rest)], Route("", model)
        case ["", "v2", "models", model, *rest] if tuple(rest) in OF_ALL_VERSIONS:
            return OF_ALL_VERSIONS[tuple(rest)], Route("", model)
        case ["", "v2", "repository", "models", model, "load" | "unload" as action]:
            return {"POST": action}, Route("", model)
        case ["", "v2", kind, "region", region, verb] if (kind, verb) in OF_A_REGION:
            return OF_A_REGION[kind, verb], Route("", region=region)
    raise NotFoundError(f"no such path: {path[:200]}")
