"""What an overview leaves out is said in sentences with numbers."""

from dashboard.provenance import dropped_text
from store import Dropped


def test_nothing_is_said_where_nothing_was_dropped() -> None:
    assert dropped_text([]) is None


def test_one_dropped_record_is_one_record() -> None:
    text = dropped_text([Dropped("node-1", 1)])
    assert text is not None
    assert text.startswith("1 record was dropped in the time shown: 1 by node-1. ")


def test_several_nodes_are_summed_and_each_is_named() -> None:
    text = dropped_text([Dropped("node-1", 12_000), Dropped("node-2", 3)])
    assert text is not None
    assert text.startswith("12,003 records were dropped in the time shown: 12,000 by node-1, 3 by")
