"""The 64-bit hash by which a usage record tells equal inputs: equal inputs, equal digests."""

from collections.abc import Mapping

import msgspec
import numpy as np
import xxhash

from inference_node.models.session import Tensor


def digest_seed(inputs: Mapping[str, Tensor]) -> int:
    """Return a hash of names, datatypes and shapes, for `input_digest`."""
    about = [(name, tensor.dtype.str, tensor.shape) for name, tensor in inputs.items()]
    return xxhash.xxh3_64_intdigest(msgspec.msgpack.encode(about))


def input_digest(inputs: Mapping[str, Tensor], seed: int) -> str:
    """Return the hash, in hex, of the values of `inputs`; `seed` stands for all else of them.

    XXH3 is as fast as memory and not made to withstand attacks: a digest is for statistics only.
    """
    if len(inputs) == 1:
        [tensor] = inputs.values()
        return xxhash.xxh3_64_hexdigest(_data(tensor), seed)
    digest = xxhash.xxh3_64(seed=seed)
    for tensor in inputs.values():
        digest.update(_data(tensor))
    return digest.hexdigest()


def _data(tensor: Tensor) -> memoryview | bytes:
    if tensor.dtype.kind == "O":
        return msgspec.msgpack.encode(tensor.ravel().tolist())
    return np.ascontiguousarray(tensor).data
