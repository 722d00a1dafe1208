"""The story of `make demo`: six weeks of a small fleet in which four things happen.

Only `digits` exists, with the execution times measured for it. The other models, the tenants, their
traffic and the machines are made up, and so are the times of the models whose names begin with
`example-`; docs/demo_history.md says so.

Week 2: the machine of the language model becomes a reserved one. Week 3: the model that reads
documents is retired for one that is faster. Week 4: a cache is switched on for the search.
Week 5: a version of the search that is slow and fails is deployed on Tuesday and rolled back.
Week 6: the language model gets a second machine for business hours.
"""

from collections.abc import Mapping

from simulator.history.story import (
    DAY_US,
    HOUR_US,
    MINUTE_US,
    SECOND_US,
    WEEK_US,
    Caching,
    Curve,
    Machine,
    Node,
    Phase,
    Rhythm,
    Story,
    Stream,
    Tokens,
    Version,
)

SEED = 20_261_123

RESERVED_FROM_US = WEEK_US + 2 * DAY_US
RETIRING_FROM_US = 2 * WEEK_US + 1 * DAY_US
RETIRED_FROM_US = 2 * WEEK_US + 3 * DAY_US
CACHED_FROM_US = 3 * WEEK_US + 2 * DAY_US
DEPLOYED_AT_US = 4 * WEEK_US + 1 * DAY_US + 14 * HOUR_US
HELPED_FROM_US = 5 * WEEK_US
ROLLED_BACK_AT_US = DEPLOYED_AT_US + 5 * HOUR_US

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

US, EU = "us-east-1", "eu-west-1"


def demo_story(digits: Mapping[str, Curve]) -> Story:
    """Return the story; `digits` are the measured curves of its versions, "1" and "2"."""
    return Story(
        streams=(*_digits(digits), *_documents(), *_search(), *_chat()),
        nodes=(
            Node("sim-digits", ((0, Machine("aws", EU, "c7i.xlarge", "on_demand")),)),
            Node("sim-documents-1", ((0, Machine("aws", US, "c7i.xlarge", "on_demand")),)),
            Node(
                "sim-documents-2",
                ((0, Machine("aws", US, "c7i.xlarge", "spot")),),
                shift=(5, 22),
                interruptions=3.0,
                away_us=25 * MINUTE_US,
            ),
            Node(
                "sim-search",
                ((0, Machine("aws", US, "g4dn.xlarge", "on_demand")),),
                pool="gpu",
                loading_us=40 * SECOND_US,
                memory_bytes=3 * 2**30,
                gpu_memory_bytes=5 * 2**30,
                watts=(14.0, 68.0),
            ),
            Node(
                "sim-chat",
                (
                    (0, Machine("aws", US, "g6.xlarge", "on_demand")),
                    (RESERVED_FROM_US, Machine("aws", US, "g6.xlarge", "reserved")),
                ),
                pool="gpu",
                loading_us=90 * SECOND_US,
                memory_bytes=6 * 2**30,
                gpu_memory_bytes=20 * 2**30,
                watts=(17.0, 70.0),
            ),
            Node(
                "sim-chat-2",
                ((HELPED_FROM_US, Machine("aws", US, "g6.xlarge", "on_demand")),),
                pool="gpu",
                shift=(7, 20),
                loading_us=90 * SECOND_US,
                memory_bytes=6 * 2**30,
                gpu_memory_bytes=20 * 2**30,
                watts=(17.0, 70.0),
            ),
        ),
        sample_us=5 * MINUTE_US,
    )


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
    return (
        Stream(
            "search",
            {"team": "relevance", "project": "site-search"},
            phases,
            rate=0.075,
            growth=0.08,
            rhythm=SHOPPERS,
            nodes=(("sim-search", 1.0),),
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
            nodes=(("sim-search", 1.0),),
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
