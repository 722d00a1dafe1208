"""The lines of a bridge and the causes of movers as people read them."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from costs.money import MICRO_USD_PER_USD
from costs.variance import Cause, Mover
from reports.formatting import count, percent, significant, usd
from reports.variance.report import UNUSED
from store import Key

_LINES: Mapping[str, str] = {
    "volume": "number of requests",
    "mix": "mix of models",
    "work_per_request": "work per request",
    "utilization": "utilisation of machines",
    "price": "price of machines",
    "new": "new models",
    "retired": "retired models",
    "zero_traffic": "models without traffic",
    UNUSED: "machines that executed nothing",
    "network": "bytes sent and received",
    "storage": "storage",
    "cache": "caches beside the nodes",
    "commitment": "commitments that were not used",
}
_NO_FACTOR: Mapping[Cause, str] = {
    Cause.NEW: "not there before",
    Cause.RETIRED: "not there any more",
    Cause.ZERO_TRAFFIC: "machines without work",
}
MICROSECONDS_PER_MS = 1000
# From here on nobody thinks in percent.
MANY_TIMES = 10


def line_words(line: str) -> str:
    """Return the name of a line of `Variance.lines`; its key where it has no other."""
    return _LINES.get(line, line)


def cause_words(mover: Mover[Key]) -> str:
    """Return why something changed: "11.0% more requests (1,000 to 1,110)"."""
    was, came = mover.factor_before or Fraction(0), mover.factor_after or Fraction(0)
    match mover.cause:
        case Cause.REQUESTS:
            more = _more(was, came, "more", "fewer", "as many")
            return f"{more} requests ({_span(was, came, _whole)})"
        case Cause.WORK:
            span = _span(was / MICROSECONDS_PER_MS, came / MICROSECONDS_PER_MS, significant)
            more = _more(was, came, "more", "less", "as much")
            return f"{more} work per request ({span} ms of a worker)"
        case Cause.UTILIZATION:
            return f"utilisation {_span(was, came, percent)}"
        case Cause.PRICE:
            span = _span(was / MICRO_USD_PER_USD, came / MICRO_USD_PER_USD, usd)
            more = _more(was, came, "dearer", "cheaper", "as dear")
            return f"{more} machines ({span} USD per worker-hour)"
    return _NO_FACTOR[mover.cause]


def _more(was: Fraction, came: Fraction, more: str, less: str, equal: str) -> str:
    """Return by how much: in percent, or from ten times on how many times, where both are there."""
    word = more if came > was else less
    if not (was and came):
        return word
    if came >= MANY_TIMES * was:
        return f"{significant(float(came / was))} times {equal}"
    return f"{percent(abs(float(came / was - 1)))} {word}"


def _span(was: Fraction, came: Fraction, spell: Callable[[float], str]) -> str:
    return f"{spell(float(was))} to {spell(float(came))}"


def _whole(value: float) -> str:
    return count(round(value))
