"""From the body of a request to a model to its answer: decode, execute, encode."""

import asyncio
import math
from collections.abc import Mapping

import numpy as np

from inference_node.clock import Clock
from inference_node.errors import (
    ForbiddenError,
    InvalidRequestError,
    RequestError,
    StoppingError,
)
from inference_node.execution import Executor
from inference_node.http.request import Request
from inference_node.http.response import JSON, Response, json_response
from inference_node.metering.receipt import Receipt
from inference_node.metering.recorder import Recorder
from inference_node.model_routing import Cascade, Plan
from inference_node.models.config import ClassificationConfig
from inference_node.models.image_input import decode_image
from inference_node.models.repository import Model
from inference_node.models.session import Tensor
from inference_node.protocol.content_coding import (
    SMALLEST_ENCODED_BYTES,
    accepted_coding,
    decode_content,
    encode_content,
)
from inference_node.protocol.digest import digest_seed, input_digest
from inference_node.protocol.prepared import read_infer
from inference_node.protocol.request import InferRequest, decode_header_length
from inference_node.protocol.response import encode_infer, requested_outputs
from inference_node.protocol.shared_memory import NO_MEMORY, Memory, NoMemory
from inference_node.shadows import Shadows

BINARY = b"application/octet-stream"

# More is encoded and decoded on another thread, so that it does not hold up everybody else.
INLINE_CODED_BYTES = 16 * 1024

# Who reads and writes memory on the node's behalf must be trusted like who registers it.
NOT_AN_ADMINS = NoMemory(ForbiddenError, "only an administrator's token may use shared memory")


class Inference:
    """Answers requests to models and writes on their receipts how far they got."""

    def __init__(
        self,
        executor: Executor,
        shadows: Shadows,
        recorder: Recorder,
        clock: Clock,
        memory: Memory,
        *,
        max_body_bytes: int,
        max_image_pixels: int,
    ) -> None:
        self._executor = executor
        self._shadows = shadows
        self._recorder = recorder
        self._clock = clock
        self._memory = memory
        self._max_body_bytes = max_body_bytes
        self._max_image_pixels = max_image_pixels

    async def infer(self, body: bytes, request: Request, plan: Plan, receipt: Receipt) -> Response:
        """Answer an infer request of the Open Inference Protocol. Raises RequestErrors."""
        coding = request.header("content-encoding")
        if coding is not None:
            body = await self._decoded(body, coding)
        length = request.header("inference-header-content-length")
        json_length = None if length is None else decode_header_length(length)
        parts, json_length = await self.answer(body, json_length, plan, receipt)
        response = Response(200, b"".join(parts), JSON if json_length is None else BINARY)
        if json_length is not None:
            length_header = (b"inference-header-content-length", b"%d" % json_length)
            response.headers.append(length_header)
        accepted = request.header("accept-encoding")
        if accepted is not None and len(response.body) >= SMALLEST_ENCODED_BYTES:
            await _encode(response, accepted)
        return response

    async def answer(
        self,
        body: bytes,
        json_length: int | None,
        plan: Plan,
        receipt: Receipt,
        *,
        only_json: bool = False,
    ) -> tuple[list[bytes], int | None]:
        """Return the parts of the answer to the request in `body`, and the length of its JSON where
        binary outputs follow. Raises RequestErrors."""
        model = plan.model
        memory: Memory = self._memory if receipt.caller.admin else NOT_AN_ADMINS
        if only_json:
            memory = NO_MEMORY
        prepared, inputs = read_infer(body, json_length, model.signature, memory)
        request = prepared.request
        for place in prepared.places:
            memory.require(place)
        if only_json and any(output.binary for output in prepared.outputs):
            raise InvalidRequestError("binary outputs are asked for; accepted here: JSON")
        _identify(receipt, inputs, prepared.seed)
        if plan.shadow is not None:
            self._shadows.begin(plan.shadow, inputs, receipt)
        if plan.cascade is None:
            outputs = await self._executor.outputs(
                model, inputs, prepared.names, receipt, request.priority, request.timeout_us
            )
            return encode_infer(request, model.signature, prepared.outputs, outputs, memory)
        model, outputs = await self._cascade(
            plan.model, plan.cascade, inputs, prepared.names, receipt, request
        )
        wanted = requested_outputs(request, model.signature)
        return encode_infer(request, model.signature, wanted, outputs, memory)

    async def predict(
        self, body: bytes, request: Request, plan: Plan, receipt: Receipt
    ) -> Response:
        """Answer an image with its class. Raises RequestErrors."""
        model = plan.model
        image = model.config.image
        if image is None or model.config.classification is None:
            raise InvalidRequestError(f"model {model.name!r} does not classify images")
        coding = request.header("content-encoding")
        if coding is not None:
            body = await self._decoded(body, coding)
        pixels = await decode_image(body, image, self._max_image_pixels)
        inputs = {image.input: pixels}
        _identify(receipt, inputs, digest_seed(inputs))
        names = [model.config.classification.output]
        if plan.shadow is not None:
            self._shadows.begin(plan.shadow, inputs, receipt)
        if plan.cascade is None:
            outputs = await self._executor.outputs(model, inputs, names, receipt)
        else:
            model, outputs = await self._cascade(model, plan.cascade, inputs, names, receipt)
        classes = model.config.classification
        if classes is None:
            raise InvalidRequestError(
                f"version {model.version} of model {model.name!r} does not classify images"
            )
        return self._prediction(model, classes, outputs, receipt)

    async def _cascade(
        self,
        first: Model,
        cascade: Cascade,
        inputs: Mapping[str, Tensor],
        names: list[str],
        receipt: Receipt,
        request: InferRequest | None = None,
    ) -> tuple[Model, Mapping[str, Tensor]]:
        """Return who answers, and what.

        A first try that was executed and not confident enough leaves a record of its own: it cost
        machine time.
        """
        needed = names if cascade.output in names else [*names, cascade.output]
        level, timeout_us = (request.priority, request.timeout_us) if request else (0, 0)
        outputs = await self._executor.outputs(first, inputs, needed, receipt, level, timeout_us)
        if _confidence(outputs[cascade.output], receipt.items) >= cascade.threshold:
            return first, outputs
        raise_if_cut_off()
        if receipt.execution is not None:
            self._recorder.write(receipt.attempt(), 200, 0)
        receipt.begin_again(cascade.then)
        then = cascade.then
        outputs = await self._executor.outputs(then, inputs, names, receipt, level, timeout_us)
        return then, outputs

    async def _decoded(self, body: bytes, coding: str) -> bytes:
        if len(body) <= INLINE_CODED_BYTES:
            return decode_content(body, coding, self._max_body_bytes)
        return await asyncio.to_thread(decode_content, body, coding, self._max_body_bytes)

    def _prediction(
        self,
        model: Model,
        classes: ClassificationConfig,
        outputs: Mapping[str, Tensor],
        receipt: Receipt,
    ) -> Response:
        probabilities = outputs[classes.output].reshape(-1).tolist()
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        execution = receipt.execution
        now_us = self._clock.now_us()
        timing = {"queue_us": 0, "compute_us": 0, "batch_size": 0}
        if execution is not None:
            timing = {
                "queue_us": max(0, execution.began_us - receipt.arrived_us),
                "compute_us": execution.compute_us,
                "batch_size": execution.batch_size,
            }
        return json_response(
            {
                "model_name": model.name,
                "model_version": model.version,
                "class": classes.labels[best],
                "probabilities": dict(zip(classes.labels, probabilities, strict=True)),
                "cache": receipt.cache,
                "timing": {**timing, "total_us": max(0, now_us - receipt.arrived_us)},
                "record_id": receipt.record_id,
            }
        )


def raise_if_cut_off() -> None:
    """Raise CancelledError in a task that was cancelled while something executed for it.

    That could not be stopped, so its task went on; what follows can be.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def outcome(error: RequestError, request: Request) -> RequestError:
    """Return what goes on record of a request that `error` ended: where the node gave up the work
    for a client who has left, that the client has left."""
    if isinstance(error, StoppingError) and request.failure is not None:
        return request.failure
    return error


def _identify(receipt: Receipt, inputs: Mapping[str, Tensor], seed: int) -> None:
    """Put on the receipt how many items there are, and the digest of the inputs."""
    receipt.items = len(next(iter(inputs.values())))
    receipt.input_digest = input_digest(inputs, seed)


def _confidence(output: Tensor, items: int) -> float:
    """Return the largest value of the item whose largest value is the smallest; NaN, no value and
    what cannot be shared out among `items` count as no confidence at all."""
    if not output.size or output.size % items:
        return -math.inf
    per_item = output.reshape(items, -1).max(axis=1)
    return float(np.nan_to_num(per_item.astype(np.float64), nan=-math.inf).min())


async def _encode(response: Response, accepted: str) -> None:
    """Compress the body in the coding that the client likes best, if that makes it smaller."""
    coding = accepted_coding(accepted)
    if coding is None:
        return
    response.headers.append((b"vary", b"accept-encoding"))
    if len(response.body) <= INLINE_CODED_BYTES:
        encoded = encode_content([response.body], coding)
    else:
        encoded = await asyncio.to_thread(encode_content, [response.body], coding)
    if len(encoded) < len(response.body):
        response.body = encoded
        response.headers.append((b"content-encoding", coding.encode()))
