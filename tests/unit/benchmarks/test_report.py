"""Goals and tables."""

from benchmarks.report import Goal, Spread, markdown_table


def test_a_goal_says_by_how_much_it_was_missed() -> None:
    assert Goal("ratio", 1.25, 1.0, at_least=True).row() == ["ratio", "1.250", "at least 1", "met"]
    assert Goal("ratio", 0.75, 1.0, at_least=True).row()[-1] == "missed by 0.250"
    assert Goal("added", 2.0, 1.5, at_least=False).row()[-2:] == ["at most 1.5", "missed by 0.500"]


def test_a_bound_that_is_just_reached_is_met() -> None:
    assert Goal("ratio", 1.0, 1.0, at_least=True).met
    assert Goal("ratio", 1.0, 1.0, at_least=False).met


def test_a_goal_without_a_value_is_neither_met_nor_missed() -> None:
    goal = Goal("ratio", None, 1.0, at_least=True, note="wrk is not installed")
    assert goal.met is None
    assert goal.row()[1:] == ["-", "at least 1", "not measured: wrk is not installed"]


def test_a_spread_is_the_median_between_least_and_greatest() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert Spread.of([30_000.4, 10_000, 20_000]).text() == "20,000 (10,000 to 30,000)"
    assert Spread.of([1.234]).text(2) == "1.23"


def test_the_columns_of_a_table_are_as_wide_as_their_widest_cell() -> None:
    assert markdown_table(["a", "b"], [["long", "x"], ["y", "z"]]) == (
        "| a    | b |\n| ---- | - |\n| long | x |\n| y    | z |"
    )
