"""One batch: jobs become one execution of the model, its outputs become everybody's own."""

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import numpy as np
from msgspec import Struct

from inference_node.errors import ExecutionError, RequestError, StoppingError
from inference_node.metering.busy_log import BusyLog
from inference_node.models.session import Session, Tensor
from inference_node.scheduling.job import Execution, Job
from inference_node.scheduling.job_queue import JobQueue
from inference_node.scheduling.model_queues import ModelQueues
from inference_node.scheduling.priority import giving_way
from usage import Pool as Device

logger = logging.getLogger(__name__)

NORMALLY = nullcontext()


class Batch(Struct, eq=False):
    """Jobs of one queue that are executed together. `background`: they are no real-time work.

    `began_us` is when its execution began, 0 before. `cpu_us` is what that took of the processor on
    its thread: unlike its duration it does not grow when others have the processor, or the
    interpreter.
    """

    number: int
    jobs: list[Job]
    queues: ModelQueues
    queue: JobQueue
    session: Session
    device: Device
    worker: int
    background: bool
    began_us: int = 0
    cpu_us: int = 0

    @property
    def preemptible(self) -> bool:
        """Whether its worker may be taken over: an execution on a GPU does not give way."""
        return self.background and self.device == "cpu"

    def execute(self, busy: BusyLog) -> list[Execution]:
        """Return how each job was executed, in their order. Raises nothing."""
        worker = self.worker
        begin = busy.begin_background if self.preemptible else busy.begin
        self.began_us = begin(worker)
        began_ns = time.thread_time_ns()
        error: RequestError | None = None
        outputs: Sequence[Mapping[str, Tensor]] = [{} for _ in self.jobs]
        try:
            outputs = self._outputs()
        except RequestError as failure:
            error = failure
        except Exception:  # a defect must not take the worker with it
            logger.exception("a defect in the node: batch %d", self.number)
            error = ExecutionError("the batch failed")
        self.cpu_us = (time.thread_time_ns() - began_ns) // 1000
        if self.preemptible:
            ended_us, compute_us = busy.end_background(worker)
        else:
            ended_us = busy.end(worker)
            compute_us = ended_us - self.began_us
        return self._executions(outputs, ended_us, compute_us, error)

    def give_up(self, busy: BusyLog) -> Execution | None:
        """Return how each job was executed up to now, as one that has failed; the thread that
        executes goes on, and nobody waits for it. None where it has not begun, or has ended."""
        if self.preemptible:
            account = busy.give_up_background(self.worker)
        else:
            ended_us = busy.give_up(self.worker)
            account = None if ended_us is None else (ended_us, ended_us - self.began_us)
        if account is None:
            return None
        error = StoppingError("the node is stopping; ask another one")
        [execution] = self._executions([{}], *account, error)
        return execution

    def _executions(
        self,
        outputs: Sequence[Mapping[str, Tensor]],
        ended_us: int,
        compute_us: int,
        error: RequestError | None,
    ) -> list[Execution]:
        size = sum([job.items for job in self.jobs])
        about = self.device, self.worker, self.number, size
        times = self.began_us, ended_us, compute_us
        return [Execution(own, *about, *times, error) for own in outputs]

    def _outputs(self) -> list[Mapping[str, Tensor]]:
        names, jobs = self.queues.output_names, self.jobs
        if len(jobs) == 1:
            inputs = jobs[0].inputs
        else:
            inputs = {
                name: np.concatenate([job.inputs[name] for job in jobs]) for name in jobs[0].inputs
            }
        with giving_way() if self.preemptible else NORMALLY:
            outputs = self.session.run(inputs, names)
        if self.queues.max_batch_size == 1:
            return [dict(zip(names, outputs, strict=True))]
        size = sum([job.items for job in jobs])
        for name, output in zip(names, outputs, strict=True):
            # Otherwise nobody could say which rows are whose.
            if output.shape[:1] != (size,):
                raise ExecutionError(
                    f"output {name!r} has shape {list(output.shape)} for a batch of {size}"
                )
        if len(jobs) == 1:
            return [dict(zip(names, outputs, strict=True))]
        parts: list[Mapping[str, Tensor]] = []
        end = 0
        for job in jobs:
            begin, end = end, end + job.items
            parts.append(
                {name: output[begin:end] for name, output in zip(names, outputs, strict=True)}
            )
        return parts
