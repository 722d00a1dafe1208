"""A story small enough to look at: two nodes, two models, a cache, a change of machine."""

from simulator.history import (
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

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
# 2026-10-12 00:00 UTC, a Monday.
MONDAY_US = 1_791_763_200 * SECOND_US

FLAT = Rhythm((1.0,) * 24, 1.0)
SLOW = Version(
    "slow", "1", "fp32", Curve((1, 4), (2e6, 3e6), 0.2), 4, 50_000, 6 * SECOND_US, failing=0.1
)
QUICK = Version("quick", "2", "int8", Curve((1, 8), (40_000.0, 60_000.0), 0.1), 8, 3_000)
ON_DEMAND = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
RESERVED = Machine("aws", "us-east-1", "c7i.xlarge", "reserved")
SPOT = Machine("aws", "eu-west-1", "g4dn.xlarge", "spot")


def small_story(sample_us: int = 60 * SECOND_US) -> Story:
    """Return a story of some two thousand requests an hour, enough of them for queues."""
    return Story(
        streams=(
            Stream(
                "shop",
                {"team": "checkout", "project": 'a "quoted" 100 %'},
                (Phase(0, ((SLOW, 1.0),)),),
                rate=0.35,
                growth=0.1,
                rhythm=FLAT,
                nodes=(("one", 0.7), ("two", 0.3)),
                priorities=(("high", 0.5), ("normal", 0.5)),
                items=1.5,
                most_items=4,
                invalid=0.05,
            ),
            Stream(
                "search",
                {},
                (Phase(0, ((QUICK, 0.5), (SLOW, 0.5))), Phase(HOUR_US, ((QUICK, 1.0),))),
                rate=0.3,
                growth=0.0,
                rhythm=FLAT,
                nodes=(("two", 1.0), ("one", 0.0)),
                client_regions=(("eu-west-1", 1.0),),
                keys=40,
                tokens=Tokens(100, 50, 200),
                caching=Caching(HOUR_US // 2, 60 * SECOND_US),
            ),
        ),
        nodes=(
            Node("one", ((0, ON_DEMAND), (2 * HOUR_US, RESERVED)), workers=2),
            Node(
                "two",
                ((0, SPOT),),
                pool="gpu",
                gpu_memory_bytes=2**30,
                watts=(10.0, 60.0),
                interruptions=30.0,
                away_us=HOUR_US // 3,
            ),
        ),
        sample_us=sample_us,
    )
