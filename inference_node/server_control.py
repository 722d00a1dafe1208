"""Triton's extensions about the node itself: traces, the log, and shared memory."""

from collections.abc import Sequence

from inference_node.errors import InvalidRequestError, NotFoundError
from inference_node.http.response import Response
from inference_node.log import Log
from inference_node.metering.tracer import Tracer
from inference_node.models.repository import ModelRepository
from inference_node.protocol.log_settings import encode_log_settings, updated
from inference_node.protocol.shared_memory import (
    CudaRegistration,
    SystemRegion,
    SystemRegistration,
    decode_registration,
    encode_regions,
)
from inference_node.protocol.trace import decode_trace_update, encode_trace_settings
from inference_node.routes import Route
from inference_node.shared_memory import SharedMemory


class ServerControl:
    """Answers what changes how the node works, until it stops."""

    def __init__(
        self, repository: ModelRepository, tracer: Tracer, log: Log, memory: SharedMemory
    ) -> None:
        self._repository = repository
        self._tracer = tracer
        self._log = log
        self._memory = memory

    def answer(self, route: Route, body: bytes) -> Response:
        """Return the answer to a request; `body` is empty where it asks only. Raises
        RequestErrors."""
        match route.action:
            case "trace" | "update_trace":
                return Response(200, self._trace(route, body))
            case "log":
                return Response(200, encode_log_settings(self._log.settings))
            case "update_log":
                self._log.change(updated(self._log.settings, body))
                return Response(200, encode_log_settings(self._log.settings))
            case "system_memory":
                return Response(200, encode_regions(self._system_regions(route.region)))
            case "cuda_memory":
                if route.region is not None:
                    raise NotFoundError(
                        f"no CUDA shared memory region {route.region[:200]!r} is registered"
                    )
                return Response(200, encode_regions([]))
            case "register_system_memory":
                self._register(route, decode_registration(body, SystemRegistration))
            case "unregister_system_memory":
                if route.region is None:
                    self._memory.unregister_all()
                else:
                    self._memory.unregister(route.region)
            case "register_cuda_memory":
                decode_registration(body, CudaRegistration)
                raise InvalidRequestError(
                    "CUDA shared memory is not supported; accepted: system shared memory"
                )
            case "unregister_cuda_memory":
                pass  # there is none
            case _:
                raise AssertionError(route)
        return Response(200)

    def _trace(self, route: Route, body: bytes) -> bytes:
        if route.model is not None:
            self._repository.find(route.model, None)
        if route.action == "trace":
            return encode_trace_settings(self._tracer.settings(route.model))
        changes = decode_trace_update(body)
        return encode_trace_settings(self._tracer.update(changes, route.model))

    def _register(self, route: Route, wanted: SystemRegistration) -> None:
        assert route.region is not None
        self._memory.register(
            SystemRegion(route.region, wanted.key, wanted.offset, wanted.byte_size)
        )

    def _system_regions(self, name: str | None) -> Sequence[SystemRegion]:
        return self._memory.regions() if name is None else [self._memory.region(name)]
