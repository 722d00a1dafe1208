"""What the node tells of itself: health, metadata, configuration, statistics, metrics."""

from collections.abc import Callable
from functools import cache
from importlib.metadata import version

import msgspec

from inference_node.access.tokens import Identity
from inference_node.config import ModelOverride, NodeConfig
from inference_node.http.request import Request
from inference_node.http.response import Response
from inference_node.metering.metrics import Metrics
from inference_node.models.repository import Model, ModelRepository
from inference_node.protocol.metadata import encode_model_metadata, encode_server_metadata
from inference_node.protocol.model_config import encode_model_config
from inference_node.protocol.openapi import openapi_document
from inference_node.protocol.statistics import ModelStatistics, encode_statistics
from inference_node.routes import Route


class Description:
    """Answers what no model is asked for. `is_ready` says whether the node takes requests."""

    def __init__(
        self,
        repository: ModelRepository,
        metrics: Metrics,
        config: NodeConfig,
        is_ready: Callable[[], bool],
    ) -> None:
        self._repository = repository
        self._metrics = metrics
        self._config = config
        self._is_ready = is_ready

    def answer(self, route: Route, request: Request, identity: Identity | None) -> Response:
        """Return the answer to `request`, about models that `identity` may ask, None for all.

        Raises UnknownModelError.
        """
        match route.action:
            case "live":
                return Response(200)
            case "ready":
                return Response(200 if self._is_ready() else 503)
            case "server":
                return Response(200, encode_server_metadata(version("inference-cost")))
            case "stats":
                return Response(200, encode_statistics(self._statistics(route, identity)))
            case "metrics":
                text, content_type = self._metrics.expose(request.header("accept"))
                return Response(200, text, content_type.encode())
            case "openapi":
                return Response(200, _openapi())
        model = self._repository.find(route.model, route.version)
        match route.action:
            case "model_ready":
                return Response(200 if self._is_ready() and model.failure is None else 503)
            case "config":
                return Response(200, self._model_config(model))
            case "metadata":
                versions = self._repository.versions(model.name)
                return Response(
                    200, encode_model_metadata(model.name, versions, model.inputs, model.outputs)
                )
        raise AssertionError(route)

    def _model_config(self, model: Model) -> bytes:
        pools = {name: self._config.pools[name] for name in model.sessions}
        override = self._config.models.get(model.name, ModelOverride())
        return encode_model_config(
            model.name, model.config, model.inputs, model.outputs, pools, override
        )

    def _statistics(self, route: Route, identity: Identity | None) -> list[ModelStatistics]:
        if route.version is not None:
            models = [self._repository.find(route.model, route.version)]
        elif route.model is not None:
            name = self._repository.find(route.model, None).name
            models = [model for model in self._repository.models() if model.name == name]
        else:
            models = [
                model
                for model in self._repository.models()
                if identity is None or identity.may_ask(model.name)
            ]
        known = self._metrics.statistics()
        return [
            known.get((model.name, model.version))
            or ModelStatistics(name=model.name, version=model.version)
            for model in models
        ]


@cache
def _openapi() -> bytes:
    return msgspec.json.encode(openapi_document())
