"""The story of `make demo`: six weeks of a small fleet in which some things happen.

Only `digits` exists, with the execution times measured for it. The other models, the tenants, their
traffic and the machines are made up, and so are the times of the models whose names begin with
`example-`; docs/demo_history.md says so.
"""

from collections.abc import Mapping

from simulator.history.demo.machines import demo_nodes
from simulator.history.demo.streams import demo_streams
from simulator.history.story import MINUTE_US, Curve, Story

SEED = 20_261_123


def demo_story(digits: Mapping[str, Curve]) -> Story:
    """Return the story; `digits` are the measured curves of its versions, "1" and "2"."""
    return Story(streams=demo_streams(digits), nodes=demo_nodes(), sample_us=5 * MINUTE_US)
