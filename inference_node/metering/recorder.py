"""Receipts become usage records: numbered, metered and counted."""

from inference_node.clock import Clock
from inference_node.metering.meter import Meter
from inference_node.metering.metrics import Metrics
from inference_node.metering.receipt import Receipt
from inference_node.metering.tracer import Tracer


class Recorder:
    """Writes the records of one boot of one node, with sequence numbers from 1."""

    def __init__(
        self,
        clock: Clock,
        meter: Meter,
        metrics: Metrics,
        tracer: Tracer,
        *,
        node_id: str,
        boot_id: str,
    ) -> None:
        self._clock = clock
        self._meter = meter
        self._metrics = metrics
        self._tracer = tracer
        self._node_id = node_id
        self._boot_id = boot_id
        self._seq = 0

    def write(self, receipt: Receipt, status: int, response_bytes: int) -> None:
        """Record that the answer to a request is ready now."""
        self._seq += 1
        record = receipt.record(
            self._node_id, self._boot_id, self._seq, self._clock.now_us(), status, response_bytes
        )
        self._meter.add(record)
        self._metrics.count(record)
        if self._tracer.on:
            self._tracer.see(record)
