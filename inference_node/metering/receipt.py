"""What becomes known of one request while it is handled, until it is a usage record."""

from dataclasses import dataclass, field, replace

from msgspec import structs
from uuid_utils import uuid7

from inference_node.access.caller import NOBODY, Caller
from inference_node.errors import RequestError
from inference_node.models.repository import Model
from inference_node.scheduling.job import Execution
from usage import CacheOutcome, Route, UsageRecord

# What a usage record can say; a request with more was refused.
MOST_ITEMS = 1_000_000


def _new_id() -> str:
    return str(uuid7())


@dataclass(slots=True)
class Receipt:
    """Filled in step by step; whatever was reached when a request fails is on its record."""

    arrived_us: int
    asked_model: str | None
    asked_version: str | None
    caller: Caller = NOBODY
    model: Model | None = None
    route: Route = "direct"
    parent_id: str | None = None
    cache: CacheOutcome = "bypass"
    execution: Execution | None = None
    input_digest: str | None = None
    items: int = 1
    request_bytes: int = 0
    error: RequestError | None = None
    record_id: str = field(default_factory=_new_id)

    def attempt(self) -> "Receipt":
        """Return the receipt of what was executed so far: a cascade's first try that was not
        confident enough."""
        return replace(self, record_id=_new_id(), parent_id=self.record_id, route="cascade_attempt")

    def begin_again(self, model: Model) -> None:
        """Another version answers; what was executed so far is not this request's any more."""
        self.model = model
        self.execution = None
        self.cache = "bypass"

    def shadow(self, model: Model) -> "Receipt":
        """Return the receipt of an execution beside this request, in the background."""
        return Receipt(
            self.arrived_us,
            model.name,
            model.version,
            caller=structs.replace(self.caller, priority="batch"),
            model=model,
            route="shadow",
            parent_id=self.record_id,
            input_digest=self.input_digest,
            items=self.items,
        )

    def record(
        self,
        node_id: str,
        boot_id: str,
        seq: int,
        ready_us: int,
        status: int,
        response_bytes: int,
    ) -> UsageRecord:
        """Return the usage record of a request whose answer was ready at `ready_us`."""
        run, caller = self.execution, self.caller
        model, version, variant = self.asked_model, self.asked_version, None
        if self.model is not None:
            model, version = self.model.name, self.model.version
            variant = self.model.config.variant
        if run is not None:
            queue_us = run.began_us - self.arrived_us
        elif self.cache in ("bypass", "miss", "coalesced"):
            # It was on its way to a queue, in one, or waited for the execution of another request.
            queue_us = ready_us - self.arrived_us
        else:
            queue_us = 0
        return UsageRecord(
            record_id=self.record_id,
            node_id=node_id,
            boot_id=boot_id,
            seq=seq,
            origin=caller.origin,
            model=model[:128] or None if model else None,
            model_version=version[:128] or None if version else None,
            variant=variant,
            tenant=caller.tenant,
            labels=caller.labels,
            priority=caller.priority,
            pool="cpu" if run is None else run.pool,
            worker=None if run is None else run.worker,
            arrived_at_us=self.arrived_us,
            queue_us=max(0, queue_us),
            compute_us=0 if run is None else run.compute_us,
            total_us=max(0, ready_us - self.arrived_us),
            batch_id=None if run is None else run.batch_id,
            batch_size=0 if run is None else run.batch_size,
            cache=self.cache,
            input_digest=self.input_digest,
            request_bytes=self.request_bytes,
            response_bytes=response_bytes,
            items=min(self.items, MOST_ITEMS),
            input_tokens=None,
            output_tokens=None,
            client_region=caller.client_region,
            status=status,
            error=None if self.error is None else self.error.code,
            route=self.route,
            parent_id=self.parent_id,
        )
