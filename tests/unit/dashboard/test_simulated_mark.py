"""What the mark of simulated history says."""

import pytest

from dashboard.simulated_mark import mark_text
from reports import SimulatedShown
from store import Filter, Simulated

SHOWN, HIDDEN, ONLY = Filter(), Filter(simulated=("no",)), Filter(simulated=("yes",))
MIXED = Simulated(12_345, 1_234, 6, 5)
NEVER_RAN = Simulated(10, 10, 1, 1)
MEASURED = Simulated(nodes=1)


@pytest.mark.parametrize(
    ("found", "where", "sentence"),
    [
        (MEASURED, SHOWN, None),
        (
            MIXED,
            SHOWN,
            "Measured and simulated together: 1,234 of 12,345 requests and 5 of 6 machines never "
            "ran.",
        ),
        (
            NEVER_RAN,
            SHOWN,
            "Nothing here was measured: 10 requests and 1 machine are simulated and never ran.",
        ),
        (
            MIXED,
            ONLY,
            "Nothing here was measured: 1,234 requests and 5 machines are simulated and never ran.",
        ),
        (MIXED, HIDDEN, "Simulated history is hidden: 1,234 requests and 5 machines are left out."),
        (
            NEVER_RAN,
            HIDDEN,
            "Simulated history is hidden: 10 requests and 1 machine are left out; nothing else is "
            "stored of this stretch.",
        ),
        (MEASURED, HIDDEN, "Simulated history is hidden; there is none in this stretch."),
    ],
)
def test_the_mark_says_what_is_shown_and_what_is_not(
    found: Simulated, where: Filter, sentence: str | None
) -> None:
    assert mark_text(SimulatedShown(found), where) == sentence
    # What is marked by itself needs no word about what it is compared with.
    if found:
        assert mark_text(SimulatedShown(found, MIXED), where) == sentence


def test_what_is_measured_and_compared_with_what_never_ran_says_so() -> None:
    found = SimulatedShown(MEASURED, MIXED)
    assert mark_text(found, SHOWN) == (
        "Measured, but changes are against a time of which 1,234 of 12,345 requests and 5 of 6 "
        "machines never ran."
    )
    assert mark_text(found, HIDDEN) == (
        "Simulated history is hidden; there is none in this stretch."
    )
