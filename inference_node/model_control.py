"""Triton's model repository extension: which models there are, loading and unloading them."""

import asyncio

from inference_node.http.response import Response
from inference_node.models.repository import Model, ModelRepository
from inference_node.protocol.repository import (
    IndexEntry,
    decode_control_request,
    decode_index_request,
    encode_index,
)


class ModelControl:
    """Loads and unloads all versions of a model."""

    def __init__(self, repository: ModelRepository) -> None:
        self._repository = repository

    def index(self, body: bytes) -> Response:
        """Answer with every version of every model, or those that are ready if `body` says so.

        Raises InvalidRequestError.
        """
        only_ready = decode_index_request(body)
        entries = [_entry(model) for model in self._repository.models()]
        return Response(
            200,
            encode_index([entry for entry in entries if entry.state == "READY" or not only_ready]),
        )

    async def load(self, name: str, body: bytes) -> Response:
        """Load every version of model `name`; answer when they are ready."""
        decode_control_request(body)
        await asyncio.gather(*(model.load() for model in self._versions(name)))
        return Response(200)

    def unload(self, name: str, body: bytes) -> Response:
        """Unload every version of model `name`; requests to it fail until it is loaded again."""
        decode_control_request(body)
        for model in self._versions(name):
            model.unload()
        return Response(200)

    def _versions(self, name: str) -> list[Model]:
        self._repository.find(name, None)
        return [model for model in self._repository.models() if model.name == name]


def _entry(model: Model) -> IndexEntry:
    failure = model.failure
    if failure is None:
        return IndexEntry(model.name, model.version, "READY")
    return IndexEntry(model.name, model.version, "UNAVAILABLE", str(failure))
