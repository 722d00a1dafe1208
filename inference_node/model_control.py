"""Triton's model repository extension: which models there are, loading and unloading them."""

import asyncio

from inference_node.access.tokens import Identity
from inference_node.http.response import Response
from inference_node.models.repository import Model, ModelRepository
from inference_node.protocol.repository import (
    IndexEntry,
    decode_control_request,
    decode_index_request,
    encode_index,
)
from inference_node.routes import Route


class ModelControl:
    """Loads and unloads all versions of a model."""

    def __init__(self, repository: ModelRepository) -> None:
        self._repository = repository

    async def answer(self, route: Route, body: bytes, identity: Identity | None) -> Response:
        """Return the answer to a request; that to load a model when it is ready. Of all models
        those are listed that `identity` may ask, None for all.

        Raises RequestErrors.
        """
        if route.model is None:
            return self._index(body, identity)
        decode_control_request(body)
        models = self._versions(route.model)
        if route.action == "load":
            await asyncio.gather(*(model.load() for model in models))
        else:
            # Requests to it fail until it is loaded again.
            for model in models:
                model.unload()
        return Response(200)

    def _index(self, body: bytes, identity: Identity | None) -> Response:
        """List every version of every model, or those that are ready if `body` says so."""
        only_ready = decode_index_request(body)
        entries = [
            _entry(model)
            for model in self._repository.models()
            if identity is None or identity.may_ask(model.name)
        ]
        return Response(
            200,
            encode_index([entry for entry in entries if entry.state == "READY" or not only_ready]),
        )

    def _versions(self, name: str) -> list[Model]:
        self._repository.find(name, None)
        return [model for model in self._repository.models() if model.name == name]


def _entry(model: Model) -> IndexEntry:
    failure = model.failure
    if failure is None:
        return IndexEntry(model.name, model.version, "READY")
    return IndexEntry(model.name, model.version, "UNAVAILABLE", str(failure))
