"""History that never was: usage records and node samples of a story, true to each other."""

from simulator.history.demo import SEED, demo_story
from simulator.history.making import BootLines, make_stretch
from simulator.history.story import (
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

__all__ = [
    "SEED",
    "BootLines",
    "Caching",
    "Curve",
    "Machine",
    "Node",
    "Phase",
    "Rhythm",
    "Story",
    "Stream",
    "Tokens",
    "Version",
    "demo_story",
    "make_stretch",
]
