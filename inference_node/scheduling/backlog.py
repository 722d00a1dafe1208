"""What the pools of a node have in common."""

from dataclasses import dataclass, field

from inference_node.scheduling.idle_workers import IdleWorkers


@dataclass
class Backlog:
    """What the pools of a node share: how many requests may and do wait, batch numbers, and who
    has no real-time work."""

    max_queue_size: int
    waiting: int = 0
    batches: int = 0
    idle_workers: IdleWorkers = field(default_factory=IdleWorkers)
