"""What can be wrong with a finance file before it is written."""


class FocusError(ValueError):
    """A row that breaks a rule of FOCUS; the message names column, value and what is accepted."""
