"""What can go wrong with one request, on the way bytes -> tensors -> queue -> answer.

Each failure is a status for the client and a short code for the usage record.
"""

from collections.abc import Sequence


class RequestError(Exception):
    """Base: this request gets an error answer, the node goes on. The message is for the client."""

    status = 500
    code = "internal"
    headers: Sequence[tuple[bytes, bytes]] = ()


class NotFoundError(RequestError):
    """No such path."""

    status = 404
    code = "not_found"


class MethodNotAllowedError(RequestError):
    """The path exists and takes another method."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.headers = [(b"allow", allowed.encode())]


class UnknownModelError(RequestError):
    """The request names a model or version that is not loaded."""

    status = 404
    code = "unknown_model"


class InvalidRequestError(RequestError):
    """The request does not fit the protocol or the model: JSON, header, name, shape, dtype."""

    status = 400
    code = "invalid_request"


class InvalidImageError(RequestError):
    """The body of `/predict` is not an image that can be decoded."""

    status = 400
    code = "invalid_image"


class BodyTooLargeError(RequestError):
    """The body is larger than the node accepts."""

    status = 413
    code = "body_too_large"


class ImageTooLargeError(RequestError):
    """The image has more pixels than the node is ready to decode; it was not decoded."""

    status = 413
    code = "image_too_large"


class UnauthorizedError(RequestError):
    """The request brings no token, or one that this node does not know."""

    status = 401
    code = "unauthorized"
    headers = ((b"www-authenticate", b"Bearer"),)


class ForbiddenError(RequestError):
    """The token is known, but does not allow what is asked."""

    status = 403
    code = "forbidden"


class ContentCodingError(RequestError):
    """The body is encoded in a way that the node does not read."""

    status = 415
    code = "content_coding"


class RequestTimeoutError(RequestError):
    """The client took too long to send its request."""

    status = 408
    code = "request_timeout"


class QueueFullError(RequestError):
    """As many requests as allowed wait already."""

    status = 503
    code = "queue_full"
    headers = ((b"retry-after", b"1"),)


class QueueTimeoutError(RequestError):
    """The request waited longer than it, or the model's queue policy, allows."""

    status = 503
    code = "queue_timeout"


class BusyError(RequestError):
    """As many requests as allowed are being handled already."""

    status = 503
    code = "busy"
    headers = ((b"retry-after", b"1"),)


class ModelUnavailableError(RequestError):
    """The model is known but was unloaded, or cannot be loaded again."""

    status = 503
    code = "model_unavailable"


class StoppingError(RequestError):
    """The node stops and waits no longer: for the rest of the request, or for its turn."""

    status = 503
    code = "node_stopping"


class ExecutionError(RequestError):
    """The model failed while it was executed."""

    status = 500
    code = "execution_failed"


class ClientGoneError(RequestError):
    """The client closed the connection before its request was complete; nobody reads the answer."""

    status = 499
    code = "client_gone"


class StartError(Exception):
    """The node cannot start; the message is one line that names file, field and remedy."""
