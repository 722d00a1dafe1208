"""What charges are derived from: what requests did on machines and what they sent, by step."""

from dataclasses import dataclass
from typing import NamedTuple

from costs import Machine
from store.dropped import Dropped
from store.health import BootHealth
from store.state import StoreState


class Use(NamedTuple):
    """What requests of one kind did on one machine in one step.

    `labels` is a JSON object. `machine_ns` is the time of the machine that they own, in
    nanoseconds, each of its parts rounded down: weights to share the machine's time by.
    """

    model: str | None
    model_version: str | None
    variant: str | None
    tenant: str
    labels: str
    origin: str
    failed: bool
    requests: int
    input_tokens: int
    output_tokens: int
    machine_ns: int


class OwnedTime(NamedTuple):
    """What requests of one tenant, model and set of labels own of all machines of one kind in one
    step, in nanoseconds.

    It is the sum of their `machine_ns` in the uses of these machines; `labels` are as there.
    """

    from_us: int
    machine: Machine
    tenant: str
    model: str | None
    labels: str
    machine_ns: int


@dataclass(frozen=True)
class NodeStep:
    """A machine in one step: how long it ran, and for whom. `uses` may be empty.

    `uptime_us` has an entry for each hour of the step in which it ran: (its beginning, duration).
    """

    from_us: int
    node_id: str
    machine: Machine
    uptime_us: tuple[tuple[int, int], ...]
    uses: list[Use]

    @property
    def total_us(self) -> int:
        """How long it ran in the step."""
        return sum(duration_us for _, duration_us in self.uptime_us)


class Bytes(NamedTuple):
    """Bytes that requests of one kind sent and received on one day, in one region."""

    from_us: int
    cloud: str
    region: str
    model: str | None
    model_version: str | None
    variant: str | None
    tenant: str
    labels: str
    origin: str
    failed: bool
    received_bytes: int
    sent_bytes: int


@dataclass(frozen=True)
class Completeness:
    """How whole the facts of a period are.

    `dropped` are facts that nodes say they lost, `boots` the runs that left a fact in the period.
    `unmeasured` requests were executed where no machine time is stored for their minute,
    `homeless` ones came in a step in which their machine did not run at all by its samples.
    """

    state: StoreState
    dropped: list[Dropped]
    boots: list[BootHealth]
    archive_sizes: list[tuple[int, int]]
    requests: int
    unmeasured: int
    homeless: int
