"""What keeps a replay from starting. What goes wrong during one is counted in its report."""


class ReplayError(Exception):
    """The replay did not start."""


class ReplayInputError(ReplayError, ValueError):
    """What was asked for cannot be replayed; the message names it, its value, what is accepted."""

    def __init__(self, name: str, value: object, accepted: str) -> None:
        super().__init__(name, value, accepted)
        self.name = name
        self.value = value
        self.accepted = accepted

    def __str__(self) -> str:
        return f"{self.name} is {self.value!r}; accepted: {self.accepted}"


class NodeNotThereError(ReplayError):
    """Nothing accepts connections at the node's address."""
