"""What is wrong with a value that the autoscaling rule was given."""


class HpaError(ValueError):
    """A setting or a measured value is outside what the rule can be applied to."""

    def __init__(self, field: str, value: object, accepted: str) -> None:
        super().__init__(field, value, accepted)
        self.field = field
        self.value = value
        self.accepted = accepted

    def __str__(self) -> str:
        shown = repr(self.value)
        if len(shown) > 80:
            shown = f"{shown[:77]}..."
        return f"{self.field} is {shown}; accepted: {self.accepted}"
