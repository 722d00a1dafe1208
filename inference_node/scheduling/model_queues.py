"""What waits for one model version in one pool."""

from collections.abc import Mapping

from inference_node.errors import QueueFullError
from inference_node.models.repository import Model
from inference_node.models.session import Tensor
from inference_node.scheduling.job_queue import JobQueue
from inference_node.scheduling.levels import BACKGROUND, Levels
from inference_node.scheduling.sessions import Sessions

# A queue that is empty is kept, so that it need not be made again for the next request and what
# its batches take stays known. Clients choose shapes, so not all of them can be kept.
MOST_QUEUES = 64

Key = tuple[object, ...]


class ModelQueues:
    """The queues of one model version, one for each shape, and how many wait on each level."""

    def __init__(self, model: Model, sessions: Sessions) -> None:
        self.model = model
        self.sessions = sessions
        self.levels = Levels(model.config.batching)
        self.max_batch_size = model.config.batching.max_batch_size
        self.output_names = [spec.name for spec in model.outputs]
        self.waiting = [0] * (self.levels.count + 1)
        self.all: dict[Key, JobQueue] = {}

    def queue_for(self, inputs: Mapping[str, Tensor], level: int) -> JobQueue:
        """Return the queue whose jobs may share a batch with one of `inputs` on `level`.

        Real-time work never waits for background work, so they share no batch either.
        """
        key: list[object] = [level == BACKGROUND]
        for name, tensor in inputs.items():
            key += (name, tensor.shape[1:], tensor.dtype.num)
        queue = self.all.get(tuple(key))
        return self._made(tuple(key)) if queue is None else queue

    def require_room(self, level: int) -> None:
        """Raise QueueFullError where as many wait on `level` as its policy allows."""
        limit = self.levels.policies[level].max_queue_size
        if limit and self.waiting[level] >= limit:
            raise QueueFullError(
                f"{self.waiting[level]} requests of priority level {level} wait for model "
                f"{self.model.name!r} already; try again later"
            )

    def unblock(self) -> bool:
        """There may be a session now; return whether a queue waited for one."""
        blocked = [queue for queue in self.all.values() if queue.blocked]
        for queue in blocked:
            queue.blocked = False
        return bool(blocked)

    def _made(self, key: Key) -> JobQueue:
        if len(self.all) >= MOST_QUEUES:
            unused = next((old for old, queue in self.all.items() if not queue.items), None)
            if unused is not None:
                del self.all[unused]
        queue = self.all[key] = JobQueue(self.model.config.batching, self.levels.count)
        return queue
