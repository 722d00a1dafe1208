"""A request on its way through a queue, and what became of it."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from inference_node.errors import RequestError
from inference_node.models.session import Tensor
from usage import Pool as Device

if TYPE_CHECKING:
    from inference_node.scheduling.batch import Batch


class Execution(Struct, frozen=True):
    """How one request was executed: its outputs, and what its usage record says of the batch.

    `compute_us` is the worker time that the batch is accounted with: `ended_us - began_us`, less
    where it ran in the background and its worker was taken over meanwhile. `error` is set where the
    execution failed: the machine time it took is on record all the same.
    """

    outputs: Mapping[str, Tensor]
    pool: Device
    worker: int
    batch_id: int
    batch_size: int
    began_us: int
    ended_us: int
    compute_us: int
    error: RequestError | None


class Deadline(Struct, eq=False):
    """When a job's time in the queue is up. `job` is None from when it waits no longer."""

    at_us: int
    job: "Job | None"


class Job(Struct, eq=False):
    """One request in a queue. `inputs` have the batch, `items` long, as their first axis.

    `level` is 1 for the highest, 0 for background work. `urgency` compares jobs of different
    models, whose levels mean nothing to each other: -1 high, 0 normal, 1 below normal. `late` says
    that its time was up and that it waits behind those of its level that are in time. `batch` is
    that in which it is being executed.
    """

    inputs: Mapping[str, Tensor]
    items: int
    level: int
    urgency: int
    arrived_us: int
    done: asyncio.Future[Execution]
    waiting: bool = True
    batch: "Batch | None" = None
    execution: Execution | None = None
    late: bool = False
    deadline: Deadline | None = None

    def leave(self) -> None:
        """It waits no longer, whatever the reason."""
        self.waiting = False
        if self.deadline is not None:
            self.deadline.job = None
