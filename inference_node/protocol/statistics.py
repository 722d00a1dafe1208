"""The answer to `/v2/models/stats`: Triton's statistics extension, as JSON.

Shape and names are those of triton-inference-server/server, docs/protocol/extension_statistics.md.
`count` counts events, `ns` sums their nanoseconds.
"""

from collections.abc import Sequence

import msgspec
from msgspec import Struct, field


class Duration(Struct, frozen=True):
    """How often something happened and how many nanoseconds it took in all."""

    count: int = 0
    ns: int = 0


NONE = Duration()


class InferenceStatistics(Struct, frozen=True, kw_only=True):
    """Where the time of the requests to one model version went.

    `success` and `fail` cover whole requests, `queue` their waiting; the three `compute_*` cover
    the requests that were executed; `cache_hit` and `cache_miss` the look-ups in the cache.
    """

    success: Duration = NONE
    fail: Duration = NONE
    queue: Duration = NONE
    compute_input: Duration = NONE
    compute_infer: Duration = NONE
    compute_output: Duration = NONE
    cache_hit: Duration = NONE
    cache_miss: Duration = NONE


class BatchStatistics(Struct, frozen=True, kw_only=True):
    """Executions of batches of one size: the cost curve. `count` counts executions here."""

    batch_size: int
    compute_input: Duration = NONE
    compute_infer: Duration = NONE
    compute_output: Duration = NONE


class ModelStatistics(Struct, frozen=True, kw_only=True):
    """One model version. `last_inference` is in milliseconds since 1970, 0 where there was none;
    `inference_count` counts items, `execution_count` batches."""

    name: str
    version: str
    last_inference: int = 0
    inference_count: int = 0
    execution_count: int = 0
    inference_stats: InferenceStatistics = InferenceStatistics()
    batch_stats: Sequence[BatchStatistics] = field(default_factory=list)


class StatisticsResponse(Struct, frozen=True):
    """The whole answer."""

    model_stats: Sequence[ModelStatistics]


def encode_statistics(models: Sequence[ModelStatistics]) -> bytes:
    """Return the statistics of `models` as JSON."""
    return msgspec.json.encode(StatisticsResponse(models))
