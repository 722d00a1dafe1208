"""A table on the screen as a file that no spreadsheet runs."""

import csv
import io

import pandas as pd

from dashboard.table_csv import frame_csv, table_csv


def test_names_are_made_safe_and_numbers_stay_numbers() -> None:
    text = table_csv(["name", "usd"], [["=1+1", -1.25], ["@x", 3], [None, None], ["a,b", "-"]])
    assert text == "name,usd\n'=1+1,-1.25\n'@x,3\n,\n\"a,b\",'-\n"


def test_each_row_says_what_of_the_figures_is_simulated() -> None:
    assert table_csv(["usd"], [[1], [2]], "part") == "usd,simulated\n1,part\n2,part\n"


def test_a_frame_is_written_without_its_index_and_with_nothing_for_what_is_missing() -> None:
    frame = pd.DataFrame(
        {
            "tenant": ["shop", None],
            "requests": pd.Series([5, None], dtype="Int64"),
            "x": [0.5, None],
        }
    )
    rows = list(csv.reader(io.StringIO(frame_csv(frame))))
    assert rows == [["tenant", "requests", "x"], ["shop", "5", "0.5"], ["", "", ""]]
