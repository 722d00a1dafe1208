"""What is wrong with a request, and the status that says so."""


class RequestError(Exception):
    """The request cannot be used as it is; the message names the field and what is accepted."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
