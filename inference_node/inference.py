"""The two ways to ask a model: an infer request with tensors, a prediction from an image."""

import asyncio
from collections.abc import Mapping

import numpy as np
import xxhash

from inference_node.clock import Clock
from inference_node.errors import InvalidRequestError
from inference_node.http.messages import Response, json_response
from inference_node.metering.receipt import Receipt
from inference_node.models.image_input import image_tensor
from inference_node.models.repository import Model
from inference_node.models.session import Tensor
from inference_node.protocol.infer import (
    decode_request,
    infer_response,
    input_tensors,
    requested_outputs,
)
from inference_node.scheduling.batcher import Batcher

# Larger bodies are decoded on another thread, so that they do not hold up everybody else.
INLINE_IMAGE_BYTES = 16 * 1024


class Inference:
    """Executes requests and writes on their receipts how far they got."""

    def __init__(self, batcher: Batcher, clock: Clock, *, max_image_pixels: int) -> None:
        self._batcher = batcher
        self._clock = clock
        self._max_image_pixels = max_image_pixels

    async def infer(self, body: bytes, model: Model, receipt: Receipt) -> Response:
        """Answer an infer request of the Open Inference Protocol. Raises RequestErrors."""
        wanted = decode_request(body)
        outputs = requested_outputs(wanted, model)
        results = await self._execute(model, input_tensors(wanted, model), receipt)
        return json_response(infer_response(wanted, model, results, outputs))

    async def predict(self, body: bytes, model: Model, receipt: Receipt) -> Response:
        """Answer an image with its class. Raises RequestErrors."""
        image, classes = model.config.image, model.config.classification
        if image is None or classes is None:
            raise InvalidRequestError(f"model {model.name!r} does not classify images")
        if len(body) > INLINE_IMAGE_BYTES:
            pixels = await asyncio.to_thread(image_tensor, body, image, self._max_image_pixels)
        else:
            pixels = image_tensor(body, image, self._max_image_pixels)
        results = await self._execute(model, {image.input: pixels}, receipt)
        probabilities = results[classes.output].reshape(-1).tolist()
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        execution = receipt.execution
        assert execution is not None
        return json_response(
            {
                "model_name": model.name,
                "model_version": model.version,
                "class": classes.labels[best],
                "probabilities": dict(zip(classes.labels, probabilities, strict=True)),
                "timing": {
                    "queue_us": execution.began_us - receipt.arrived_us,
                    "compute_us": execution.ended_us - execution.began_us,
                    "total_us": self._clock.now_us() - receipt.arrived_us,
                    "batch_size": execution.batch_size,
                },
                "record_id": receipt.record_id,
            }
        )

    async def _execute(
        self, model: Model, inputs: Mapping[str, Tensor], receipt: Receipt
    ) -> Mapping[str, Tensor]:
        receipt.items = len(next(iter(inputs.values())))
        receipt.input_digest = _digest(inputs)
        execution = await self._batcher.execute(
            model, inputs, receipt.caller.priority, receipt.arrived_us
        )
        receipt.execution = execution
        if execution.error is not None:
            raise execution.error
        return execution.outputs


def _digest(inputs: Mapping[str, Tensor]) -> str:
    """Return a 64-bit hash, in hex, of names, datatypes, shapes and values."""
    digest = xxhash.xxh3_64()
    for name, tensor in inputs.items():
        digest.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
        if tensor.dtype == np.object_:
            digest.update(repr(tensor.ravel().tolist()).encode())
        else:
            digest.update(np.ascontiguousarray(tensor).data)
    return digest.hexdigest()
