"""mosec with one model: float32 bytes in and out, dynamic batching, one worker.

Runs in an environment of its own, which `make bench` makes. Arguments: MODEL MAX_BATCH WAIT_MS,
then mosec's own options: --address HOST --port PORT --wait 0. Its `append_worker` takes a wait
below 1 ms for "not given", so 0 has to come from its option `--wait`.
"""

import sys

import numpy as np
import onnxruntime as ort
from mosec import Server, Worker

MODEL, MAX_BATCH_SIZE, WAIT_MS = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


class Classifier(Worker):  # type: ignore[misc] # mosec is not in the environment of the type check
    """Stacks the bodies of a batch, runs the model once, hands each row back as bytes."""

    resp_mime_type = "application/octet-stream"

    def __init__(self) -> None:
        super().__init__()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(MODEL, options, ["CPUExecutionProvider"])
        [spec] = self._session.get_inputs()
        self._input = spec.name
        self._shape = spec.shape[1:]

    def deserialize(self, data: bytes) -> bytes:
        """Take the body as it is."""
        return data

    def forward(self, data: list[bytes]) -> list[bytes]:
        """Execute one batch."""
        batch = np.frombuffer(b"".join(data), np.float32).reshape(len(data), *self._shape)
        [answers] = self._session.run(None, {self._input: batch})
        return [row.tobytes() for row in answers]

    def serialize(self, data: bytes) -> bytes:
        """Send the row as it is."""
        return data


if __name__ == "__main__":
    server = Server()
    server.append_worker(Classifier, max_batch_size=MAX_BATCH_SIZE, max_wait_time=WAIT_MS)
    server.run()
