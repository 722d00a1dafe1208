"""The machines of the demo: a small fleet in two regions."""

from simulator.history.demo.events import (
    ALARMED_US,
    CACHED_FROM_US,
    DEPLOYED_AT_US,
    HELPED_FROM_US,
    RESERVED_FROM_US,
    ROLLED_BACK_AT_US,
)
from simulator.history.story import MINUTE_US, SECOND_US, Machine, Node
from usage import PurchaseOption

US, EU = "us-east-1", "eu-west-1"
GIB = 2**30
ALARM = (DEPLOYED_AT_US + ALARMED_US, ROLLED_BACK_AT_US + ALARMED_US)


def demo_nodes() -> tuple[Node, ...]:
    """Return the nodes."""
    small, search, chat = _machine("c7i.xlarge"), _machine("g4dn.xlarge"), _machine("g6.xlarge")
    # There while the bad version is.
    added = ((ALARM[0], search), (ALARM[1], None))
    return (
        Node("sim-digits", ((0, _machine("c7i.xlarge", region=EU)),)),
        Node("sim-documents-1", ((0, small),)),
        Node(
            "sim-documents-2",
            ((0, _machine("c7i.xlarge", "spot")),),
            shift=(5, 22),
            interruptions=3.0,
            away_us=25 * MINUTE_US,
        ),
        _search("sim-search", ((0, search),)),
        _search("sim-search-2", ((0, search), (CACHED_FROM_US, None), *added)),
        _search("sim-search-3", added),
        _search("sim-search-4", added),
        _chat("sim-chat", ((0, chat), (RESERVED_FROM_US, _machine("g6.xlarge", "reserved")))),
        _chat("sim-chat-2", ((HELPED_FROM_US, chat),), shift=(7, 20)),
    )


def _machine(
    instance_type: str, purchase_option: PurchaseOption = "on_demand", region: str = US
) -> Machine:
    return Machine("aws", region, instance_type, purchase_option)


def _search(node_id: str, machines: tuple[tuple[int, Machine | None], ...]) -> Node:
    return Node(
        node_id,
        machines,
        pool="gpu",
        loading_us=40 * SECOND_US,
        memory_bytes=3 * GIB,
        gpu_memory_bytes=5 * GIB,
        watts=(14.0, 68.0),
    )


def _chat(
    node_id: str,
    machines: tuple[tuple[int, Machine | None], ...],
    shift: tuple[int, int] | None = None,
) -> Node:
    return Node(
        node_id,
        machines,
        pool="gpu",
        loading_us=90 * SECOND_US,
        memory_bytes=6 * GIB,
        gpu_memory_bytes=20 * GIB,
        watts=(17.0, 70.0),
        shift=shift,
    )
