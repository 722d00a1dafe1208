"""Whether a node's records account for all that its workers did."""

from fractions import Fraction

from tests.integration.node_process import Node


def adds_up(node: Node) -> bool:
    """Stop `node`, which was not, and tell whether the shares of its batches that its records carry
    are the busy time of its samples, to the microsecond."""
    assert node.stop() == 0
    shares_us = sum(Fraction(r.compute_us * r.items, r.batch_size or 1) for r in node.records())
    return shares_us == sum(sample.busy_us for sample in node.samples())
