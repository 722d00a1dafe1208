"""What a made-up history is made of: who asks which model how often, on which machines.

Times of a story are microseconds since it began. Everything here is data; how it becomes records
is in the other files of this package.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from usage import Pool, Priority, PurchaseOption

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
# Of days and weeks since 1970, the first Monday: 1970-01-05 00:00 UTC.
MONDAY_US = 4 * DAY_US


@dataclass(frozen=True)
class Curve:
    """How long a batch executes: the median in microseconds at some batch sizes, ascending.

    Between them, and beyond the last by the slope before it, it is a straight line. `spread` is the
    standard deviation of the logarithm.
    """

    batch_sizes: tuple[int, ...]
    median_us: tuple[float, ...]
    spread: float

    @classmethod
    def measured(cls, points: Mapping[int, tuple[float, float]]) -> "Curve":
        """Return the curve through (median, 95th percentile) in microseconds by batch size.

        The spread is the mean over the points, each taken as log-normal: ln(p95 / median) / 1.645.
        """
        sizes = sorted(points)
        spreads = [math.log(points[size][1] / points[size][0]) / 1.645 for size in sizes]
        return cls(
            tuple(sizes),
            tuple(points[size][0] for size in sizes),
            sum(spreads) / len(spreads),
        )

    @classmethod
    def straight(cls, base_us: float, item_us: float, spread: float) -> "Curve":
        """Return the curve of a model that takes `base_us` and `item_us` for each item."""
        return cls((1, 2), (base_us + item_us, base_us + 2 * item_us), spread)

    def slower(self, factor: float) -> "Curve":
        """Return the same curve with every median `factor` times as long."""
        return Curve(self.batch_sizes, tuple(us * factor for us in self.median_us), self.spread)

    def median(self, size: int) -> float:
        """Return the median in microseconds of a batch of `size` items."""
        upper = next(
            (place for place, known in enumerate(self.batch_sizes) if known >= size),
            len(self.batch_sizes) - 1,
        )
        lower = max(0, upper - 1)
        if upper == lower:
            return self.median_us[upper]
        share = (size - self.batch_sizes[lower]) / (
            self.batch_sizes[upper] - self.batch_sizes[lower]
        )
        return self.median_us[lower] + share * (self.median_us[upper] - self.median_us[lower])


@dataclass(frozen=True)
class Version:
    """One version of a model, and how it is batched and fails.

    A request that waits longer than `queue_timeout_us` is refused (503 queue_timeout). Of the
    executed ones, `failing` is the share that fails (500 execution_failed).
    """

    model: str
    version: str
    variant: str
    curve: Curve
    max_batch_size: int
    max_queue_delay_us: int = 2_000
    queue_timeout_us: int = 60 * SECOND_US
    failing: float = 0.001


@dataclass(frozen=True)
class Phase:
    """From `from_us` on, requests go to these versions in proportion to their weights."""

    from_us: int
    weights: tuple[tuple[Version, float], ...]


@dataclass(frozen=True)
class Caching:
    """A cache in memory, on since `from_us`; an answer is kept for `idle_us` after its last use."""

    from_us: int
    idle_us: int


@dataclass(frozen=True)
class Tokens:
    """Of a language model: median tokens of a prompt and of an answer, and the most of an answer.

    Its curve is that of answers of `median_out` tokens: others take in proportion to `fixed` +
    their own, a batch as long as its longest.
    """

    median_in: int
    median_out: int
    most_out: int
    fixed: int = 10


@dataclass(frozen=True)
class Rhythm:
    """How the rate of a stream goes through the week: weights of the hours of a day, UTC, and how
    much of that a Saturday and a Sunday have."""

    hours: tuple[float, ...]
    weekend: float


@dataclass(frozen=True)
class Stream:
    """Requests of one tenant to one model.

    `rate` is the mean in requests a second over the first week, and grows by `growth` a week.
    Inputs are drawn from `keys` of them by Zipf's law; streams of one model share them. A request
    has `items` inputs on average, `most_items` at most. It goes to one of `nodes` by their weights,
    and to the first of them that is ready where that one is not. Of all requests, `invalid` is the
    share that is refused for what it is (400 invalid_request).
    """

    tenant: str
    labels: Mapping[str, str]
    phases: tuple[Phase, ...]
    rate: float
    growth: float
    rhythm: Rhythm
    nodes: tuple[tuple[str, float], ...]
    priorities: tuple[tuple[Priority, float], ...] = (("normal", 1.0),)
    client_regions: tuple[tuple[str, float], ...] = (("us-east-1", 1.0),)
    keys: int = 360
    zipf_exponent: float = 1.1
    items: float = 1.0
    most_items: int = 1
    request_bytes: int = 1_000
    response_bytes: int = 200
    invalid: float = 0.002
    tokens: Tokens | None = None
    caching: Caching | None = None


@dataclass(frozen=True)
class Machine:
    """What a node is priced as."""

    cloud: str
    region: str
    instance_type: str
    purchase_option: PurchaseOption


@dataclass(frozen=True)
class Node:
    """A node: on which machine from when on, how many workers, what it uses.

    Before the first of `machines` there is none, nor from an instant with None on. With a `shift`
    it runs on weekdays only, from one hour to another, UTC. `interruptions` is how often a week the
    machine is taken away, for `away_us` each time. A new boot loads for `loading_us` before its
    workers are ready. Watts are those of a GPU, idle and fully busy, or None.
    """

    node_id: str
    machines: tuple[tuple[int, Machine | None], ...]
    pool: Pool = "cpu"
    workers: int = 1
    loading_us: int = 20 * SECOND_US
    memory_bytes: int = 900 * 2**20
    gpu_memory_bytes: int | None = None
    watts: tuple[float, float] | None = None
    shift: tuple[int, int] | None = None
    interruptions: float = 0.0
    away_us: int = 0


@dataclass(frozen=True)
class Story:
    """Streams and the nodes that serve them; a node samples itself every `sample_us`.

    The story is told of the `length_us` before it is first told.
    """

    streams: tuple[Stream, ...]
    nodes: tuple[Node, ...]
    sample_us: int = MINUTE_US
    length_us: int = 6 * WEEK_US
