"""Priority levels of one model version, and how long and how many may wait on each.

Level 1 is the highest. A model without `priority_levels` has two: high before normal. With N of
them, class high is level 1 and class normal the default level (N unless the model says otherwise).
The request's own parameter `priority`, Triton's, chooses another level; 0 asks for that of its
class. It orders the queue and nothing else: pool rules and usage records go by the class. Class
batch is level 0, background: after all others, without a policy.
"""

from inference_node.errors import InvalidRequestError
from inference_node.models.config import BatchingConfig, QueuePolicy
from usage import Priority

BACKGROUND = 0


class Levels:
    """The levels of one model version: `count` of them, with a policy each."""

    def __init__(self, batching: BatchingConfig) -> None:
        self.count = batching.priority_levels or 2
        self._highest_asked = batching.priority_levels or 1
        self._default = (
            batching.default_priority_level or batching.priority_levels
            if batching.priority_levels
            else 2
        )
        own = batching.priority_queue_policy
        self.policies = [
            QueuePolicy(),
            *(own.get(str(n), batching.default_queue_policy) for n in range(1, self.count + 1)),
        ]
        self._of_class: dict[Priority, tuple[int, int]] = {
            "high": (1, -1),
            "normal": (self._default, 0),
            "batch": (BACKGROUND, 1),
        }

    def place(self, priority: Priority, level: int | None) -> tuple[int, int]:
        """Return level and urgency of a request of class `priority` that asks for `level`.

        Raises InvalidRequestError for a level that the model does not have.
        """
        place = self._of_class[priority]
        if not level:
            return place
        if not 0 < level <= self._highest_asked:
            raise InvalidRequestError(
                f"parameter priority is {level}; accepted: 0, the default, "
                f"to {self._highest_asked}, where 1 is the highest"
            )
        if priority == "batch":
            return place
        return level, (level > self._default) - (level < self._default)

    def deadline_us(self, level: int, arrived_us: int, timeout_us: int | None) -> int | None:
        """Return when the time of a request that asks for `timeout_us` is up, None for never.

        A request may shorten the level's default, or set one where there is none; 0 asks for the
        default. Raises InvalidRequestError for a negative one.
        """
        policy = self.policies[level]
        allowed_us = policy.default_timeout_microseconds
        if timeout_us:
            if timeout_us < 0:
                raise InvalidRequestError(
                    f"parameter timeout is {timeout_us}; accepted: microseconds, 0 for the default"
                )
            if policy.allow_timeout_override and (not allowed_us or timeout_us < allowed_us):
                allowed_us = timeout_us
        return arrived_us + allowed_us if allowed_us else None
