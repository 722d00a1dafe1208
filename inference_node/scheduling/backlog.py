"""What the pools of a node have in common."""

from dataclasses import dataclass


@dataclass
class Backlog:
    """What the pools of a node share: how many requests may and do wait, and batch numbers."""

    max_queue_size: int
    waiting: int = 0
    batches: int = 0
