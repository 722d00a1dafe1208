"""What makes two requests equal: 20 bytes that stand for model, inputs and requested outputs."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from inference_node.models.session import Tensor

# A change of what is hashed, or how, is another format: older entries are then never found.
FORMAT = 1
KEY_BYTES = 20

_encode = msgspec.msgpack.Encoder().encode


def cache_key(
    model_name: str,
    model_version: str,
    fingerprint: str,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    tenant: str | None,
) -> bytes:
    """Return the BLAKE2b hash (RFC 7693) of everything that an answer depends on.

    `fingerprint` is the model file's: disk and Redis outlive a file that is replaced under the same
    version. `tenant` is None where tenants share answers. Neither the order of inputs nor the order
    or repetition of outputs matters, since an answer holds its tensors by name. Values count by
    their bits: 0.0 is not -0.0, and a NaN equals itself.

    What is hashed can be read in one way only, so that no two requests can be made to look alike:
    MessagePack says where each of its parts ends, and tells the sizes of the bytes behind it.
    """
    names = sorted(inputs)
    head = (
        FORMAT,
        model_name,
        model_version,
        fingerprint,
        tenant,
        sorted(set(outputs)),
        [(name, inputs[name].dtype.str, inputs[name].shape) for name in names],
    )
    digest = hashlib.blake2b(_encode(head), digest_size=KEY_BYTES)
    for name in names:
        tensor = inputs[name]
        if tensor.dtype.kind == "O":
            digest.update(_encode([_as_bytes(element) for element in tensor.ravel().tolist()]))
        else:
            digest.update(np.ascontiguousarray(tensor).data)
    return digest.digest()


def _as_bytes(element: object) -> bytes:
    """Text and its UTF-8 bytes are the same to a model, and come as either over the protocol."""
    if isinstance(element, str):
        return element.encode()
    if isinstance(element, bytes):
        return element
    raise TypeError(f"a BYTES tensor holds {type(element).__name__}; accepted: bytes, str")
