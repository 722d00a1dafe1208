"""The name that a client gives its request, to find it again in answers and logs."""

from inference_node.access.caller import Headers

LONGEST_REQUEST_ID = 128


def request_id(request: Headers) -> bytes | None:
    """Return header `x-request-id` of `request` if it can be repeated as it is, else None.

    That takes 1 to 128 printable ASCII characters: nothing that breaks a line or a header.
    """
    value = request.header("x-request-id")
    if value and len(value) <= LONGEST_REQUEST_ID and value.isascii() and value.isprintable():
        return value.encode("ascii")
    return None
