"""What becomes known of one request while it is handled, until it is a usage record."""

from dataclasses import dataclass

from uuid_utils import uuid7

from inference_node.access.caller import NOBODY, Caller
from inference_node.errors import RequestError
from inference_node.models.repository import Model
from inference_node.scheduling.batcher import Execution
from usage import UsageRecord

# What a usage record can say; a request with more was refused.
MOST_ITEMS = 1_000_000


@dataclass
class Receipt:
    """Filled in step by step; whatever was reached when a request fails is on its record."""

    node_id: str
    boot_id: str
    arrived_us: int
    asked_model: str | None
    asked_version: str | None
    caller: Caller = NOBODY
    model: Model | None = None
    execution: Execution | None = None
    input_digest: str | None = None
    items: int = 1
    request_bytes: int = 0
    error: RequestError | None = None

    def __post_init__(self) -> None:
        self.record_id = str(uuid7())

    def record(self, seq: int, ready_us: int, status: int, response_bytes: int) -> UsageRecord:
        """Return the usage record of a request whose answer was ready at `ready_us`."""
        run = self.execution
        # A request that was never dispatched spent its time on its way to a queue or in one.
        dispatched_us = ready_us if run is None else run.began_us
        model, version = self.asked_model, self.asked_version
        if self.model is not None:
            model, version = self.model.name, self.model.version
        return UsageRecord(
            record_id=self.record_id,
            node_id=self.node_id,
            boot_id=self.boot_id,
            seq=seq,
            origin=self.caller.origin,
            model=model[:128] or None if model else None,
            model_version=version[:128] or None if version else None,
            variant=None if self.model is None else self.model.config.variant,
            tenant=self.caller.tenant,
            labels=self.caller.labels,
            priority=self.caller.priority,
            pool="cpu",
            worker=None if run is None else run.worker,
            arrived_at_us=self.arrived_us,
            queue_us=max(0, dispatched_us - self.arrived_us),
            compute_us=0 if run is None else run.ended_us - run.began_us,
            total_us=max(0, ready_us - self.arrived_us),
            batch_id=None if run is None else run.batch_id,
            batch_size=0 if run is None else run.batch_size,
            cache="bypass",
            input_digest=self.input_digest,
            request_bytes=self.request_bytes,
            response_bytes=response_bytes,
            items=min(self.items, MOST_ITEMS),
            input_tokens=None,
            output_tokens=None,
            client_region=self.caller.client_region,
            status=status,
            error=None if self.error is None else self.error.code,
        )
