"""The answer to an infer request: JSON, and behind it the bytes of binary tensors."""

from collections.abc import Mapping

import msgspec

from inference_node.errors import InvalidRequestError
from inference_node.models.session import Tensor
from inference_node.protocol.classification import top_classes
from inference_node.protocol.request import InferRequest
from inference_node.protocol.shared_memory import NO_MEMORY, Memory, place_of
from inference_node.protocol.signature import Signature, WantedOutput, wanted_output
from inference_node.protocol.tensor_data import binary_data

NO_CLASSES = ("BOOL", "BYTES")

_json = msgspec.json.Encoder()


def requested_outputs(request: InferRequest, signature: Signature) -> list[WantedOutput]:
    """Return the outputs that `request` asks for, all when it names none.

    Raises InvalidRequestError for an output that the model has not, one named twice,
    classification of one that holds no numbers or is to lie in shared memory.
    """
    if not request.outputs:
        return signature.all_binary if request.binary_data_output else signature.all_in_json
    found: dict[str, WantedOutput] = {}
    for output in request.outputs:
        name, about = output.name, output.parameters
        spec = signature.outputs.get(name)
        if spec is None:
            known = ", ".join(signature.outputs)
            raise InvalidRequestError(f"unknown output {name!r}; accepted: {known}")
        if name in found:
            raise InvalidRequestError(f"outputs: {name!r} is given twice")
        binary = request.binary_data_output
        if about is not None and about.binary_data is not None:
            binary = about.binary_data
        if about is None:
            found[name] = signature.wanted[binary][name]
            continue
        place = place_of(
            f"output {name!r}",
            about.shared_memory_region,
            about.shared_memory_offset,
            about.shared_memory_byte_size,
        )
        if place is not None:
            if about.classification:
                raise InvalidRequestError(
                    f"output {name!r} has classification and shared_memory_region; "
                    "accepted: one of them"
                )
            found[name] = wanted_output(spec, binary=True, place=place)
            continue
        if not about.classification:
            found[name] = signature.wanted[binary][name]
            continue
        if spec.datatype in NO_CLASSES:
            raise InvalidRequestError(
                f"output {name!r} has datatype {spec.datatype}; classification needs numbers"
            )
        found[name] = wanted_output(spec, binary=binary, classes=about.classification)
    return list(found.values())


def encode_infer(
    request: InferRequest,
    signature: Signature,
    wanted: list[WantedOutput],
    outputs: Mapping[str, Tensor],
    memory: Memory = NO_MEMORY,
) -> tuple[list[bytes], int | None]:
    """Return the parts of the answer that carries the `wanted` ones of `outputs`, by name, and the
    value of its header `Inference-Header-Content-Length`, None where no binary output is in it.

    Outputs that are wanted in shared memory are written to `memory`; raises what that does.

    JSON has no NaN and no infinity: they leave as null, which numpy reads as NaN. Ask for binary
    data to tell them apart. (Triton writes what is no JSON.)
    """
    text = [signature.head]
    parts = []
    separator = b""
    for output in wanted:
        tensor = outputs[output.name]
        if output.classes:
            labels = signature.labels if output.name == signature.labelled else ()
            tensor = top_classes(tensor, output.classes, labels)
        text += (separator, output.head, _json.encode(tensor.shape), output.middle)
        if output.binary:
            data = binary_data(tensor)
            if output.place is None:
                parts.append(data)
            else:
                memory.write(output.place, data)
            text.append(b"%d}}" % len(data))
        else:
            text += (_json.encode(tensor.ravel().tolist()), b"}")
        separator = b","
    text.append(b"]}" if request.id is None else b'],"id":%b}' % _json.encode(request.id))
    header = b"".join(text)
    return [header, *parts], len(header) if parts else None
