"""What can go wrong between a Prometheus server and its facts here."""


class PrometheusError(Exception):
    """There is no answer to count on; the message is one line and holds no secret."""


class TooMuchError(PrometheusError):
    """The server gives up on so many samples at once; it may have less of them."""
