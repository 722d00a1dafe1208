"""What is wrong with a workload that was asked for or read."""


class WorkloadError(ValueError):
    """A field of a workload, or a parameter it is generated from, is outside what is accepted.

    `line` is the line of the file the value was read from, None where there is no file.
    """

    def __init__(self, field: str, value: object, accepted: str, line: int | None = None) -> None:
        super().__init__(field, value, accepted, line)
        self.field = field
        self.value = value
        self.accepted = accepted
        self.line = line

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        shown = repr(self.value)
        if len(shown) > 80:
            shown = f"{shown[:77]}..."
        return f"{where}{self.field} is {shown}; accepted: {self.accepted}"
