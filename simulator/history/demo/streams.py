"""Who asks which model how often: three tenants, four kinds of models."""

from collections.abc import Mapping

from simulator.history.demo.events import (
    CACHED_FROM_US,
    DEPLOYED_AT_US,
    RETIRED_FROM_US,
    RETIRING_FROM_US,
    ROLLED_BACK_AT_US,
)
from simulator.history.story import (
    HOUR_US,
    SECOND_US,
    Caching,
    Curve,
    Phase,
    Rhythm,
    Stream,
    Tokens,
    Version,
)

# Shares of the hours of a day, UTC: offices on both sides of the Atlantic, shoppers, nightly jobs.
OFFICE = Rhythm(
    (2, 2, 2, 2, 2, 3, 5, 8, 11, 12, 12, 12, 13, 15, 16, 15, 14, 12, 10, 8, 6, 4, 3, 2), 0.25
)  # fmt: skip
SHOPPERS = Rhythm(
    (5, 3, 2, 2, 2, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 10, 11, 12, 13, 14, 13, 10, 7), 0.7
)  # fmt: skip
NIGHTLY = Rhythm(
    (14, 15, 15, 14, 10, 6, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 4, 4, 4, 4, 5, 8, 11), 0.8
)  # fmt: skip

AMERICA = (("us-east-1", 0.7), ("us-west-2", 0.3))
BOTH = (("us-east-1", 0.45), ("us-west-2", 0.15), ("eu-west-1", 0.4))
EUROPE = (("eu-west-1", 0.7), ("eu-central-1", 0.3))


def demo_streams(digits: Mapping[str, Curve]) -> tuple[Stream, ...]:
    """Return the streams; `digits` are the measured curves of its versions, "1" and "2"."""
    return (*_digits(digits), *_documents(), *_search(), *_chat())


def _digits(curves: Mapping[str, Curve]) -> tuple[Stream, ...]:
    first = Version("digits", "1", "fp32", curves["1"], 32)
    second = Version("digits", "2", "int8", curves["2"], 32)
    nodes = (("sim-digits", 1.0),)
    return (
        Stream(
            "shop",
            {"team": "checkout", "project": "postcodes"},
            (Phase(0, ((first, 1.0),)),),
            rate=0.08,
            growth=0.05,
            rhythm=SHOPPERS,
            nodes=nodes,
            priorities=(("high", 0.3), ("normal", 0.7)),
            client_regions=BOTH,
            request_bytes=1_800,
            response_bytes=220,
        ),
        Stream(
            "lab",
            {"team": "vision", "project": "evaluation"},
            (Phase(0, ((second, 1.0),)),),
            rate=0.02,
            growth=0.02,
            rhythm=NIGHTLY,
            nodes=nodes,
            priorities=(("batch", 1.0),),
            client_regions=EUROPE,
            items=6.0,
            most_items=32,
            request_bytes=1_700,
            response_bytes=120,
        ),
    )


def _documents() -> tuple[Stream, ...]:
    """A page at a time: the retired model, and its successor that takes less than half as long."""
    retired = Version(
        "example-documents", "3", "fp32", Curve.straight(200_000, 2_000_000, 0.12), 24, 10_000
    )
    successor = Version(
        "example-documents-small", "1", "int8", Curve.straight(120_000, 800_000, 0.10), 24, 10_000
    )
    phases = (
        Phase(0, ((retired, 1.0),)),
        Phase(RETIRING_FROM_US, ((retired, 0.7), (successor, 0.3))),
        Phase(RETIRED_FROM_US, ((successor, 1.0),)),
    )
    nodes = (("sim-documents-1", 0.55), ("sim-documents-2", 0.45))
    return (
        Stream(
            "shop",
            {"team": "returns", "project": "receipts"},
            phases,
            rate=0.016,
            growth=0.06,
            rhythm=OFFICE,
            nodes=nodes,
            client_regions=AMERICA,
            keys=40_000,
            zipf_exponent=0.4,
            items=6.0,
            most_items=24,
            request_bytes=180_000,
            response_bytes=2_500,
            invalid=0.01,
        ),
        Stream(
            "lab",
            {"team": "archive", "project": "back-catalogue"},
            phases,
            rate=0.012,
            growth=0.0,
            rhythm=NIGHTLY,
            nodes=(("sim-documents-2", 1.0), ("sim-documents-1", 0.0)),
            priorities=(("batch", 1.0),),
            client_regions=EUROPE,
            keys=80_000,
            zipf_exponent=0.2,
            items=8.0,
            most_items=24,
            request_bytes=210_000,
            response_bytes=2_800,
        ),
    )


def _search() -> tuple[Stream, ...]:
    curve = Curve.straight(640_000, 60_000, 0.15)
    usual = Version("example-search", "7", "fp16", curve, 16, 4_000)
    bad = Version("example-search", "8", "fp16", curve.slower(6.0), 16, 4_000, failing=0.18)
    phases = (
        Phase(0, ((usual, 1.0),)),
        Phase(DEPLOYED_AT_US, ((bad, 1.0),)),
        Phase(ROLLED_BACK_AT_US, ((usual, 1.0),)),
    )
    caching = Caching(CACHED_FROM_US, 6 * HOUR_US)
    # What is meant for a machine that is not there goes to the first.
    nodes = tuple((f"sim-search{number}", 0.25) for number in ("", "-2", "-3", "-4"))
    return (
        Stream(
            "search",
            {"team": "relevance", "project": "site-search"},
            phases,
            rate=0.075,
            growth=0.08,
            rhythm=SHOPPERS,
            nodes=nodes,
            priorities=(("high", 0.6), ("normal", 0.4)),
            client_regions=BOTH,
            keys=20_000,
            zipf_exponent=1.05,
            request_bytes=600,
            response_bytes=4_200,
            caching=caching,
        ),
        Stream(
            "shop",
            {"team": "checkout", "project": "suggestions"},
            phases,
            rate=0.018,
            growth=0.04,
            rhythm=SHOPPERS,
            nodes=nodes,
            client_regions=BOTH,
            keys=20_000,
            zipf_exponent=1.05,
            request_bytes=500,
            response_bytes=1_900,
            caching=caching,
        ),
    )


def _chat() -> tuple[Stream, ...]:
    """Up to eight answers at once; the time is that of a median answer of 260 tokens."""
    version = Version(
        "example-chat-8b",
        "1",
        "fp16",
        Curve.straight(5_900_000, 200_000, 0.05),
        8,
        20_000,
        queue_timeout_us=45 * SECOND_US,
    )
    phases = (Phase(0, ((version, 1.0),)),)
    nodes = (("sim-chat", 0.5), ("sim-chat-2", 0.5))
    tokens = Tokens(median_in=420, median_out=260, most_out=1_024)
    return (
        Stream(
            "search",
            {"team": "assistant", "project": "answers"},
            phases,
            rate=0.022,
            growth=0.10,
            rhythm=OFFICE,
            nodes=nodes,
            client_regions=BOTH,
            keys=200_000,
            zipf_exponent=0.6,
            request_bytes=300,
            response_bytes=150,
            tokens=tokens,
        ),
        Stream(
            "lab",
            {"team": "vision", "project": "captions"},
            phases,
            rate=0.008,
            growth=0.03,
            rhythm=NIGHTLY,
            nodes=nodes,
            priorities=(("batch", 1.0),),
            client_regions=EUROPE,
            keys=50_000,
            zipf_exponent=0.3,
            request_bytes=250,
            response_bytes=100,
            tokens=tokens,
        ),
    )
