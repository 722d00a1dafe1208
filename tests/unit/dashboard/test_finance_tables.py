"""What the Finance page says of a provider's bill."""

from typing import Any

import pytest

from dashboard.finance_tables import bill_words, differences_html, explained_html


def bill(**fields: Any) -> dict[str, Any]:
    return {
        "name": "bill.csv",
        "lines": 3,
        "lines_of_other_periods": 0,
        "difference_usd": "1234.5",
        "where": [],
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "bill.csv: it has 1,234.50 USD more"),
        ({"difference_usd": "-0.07"}, "bill.csv: it has 0.07 USD less"),
        (
            {"lines_of_other_periods": 1_200},
            "bill.csv: it has 1,234.50 USD more; 1,200 lines of other periods are left out",
        ),
    ],
)
def test_what_a_bill_has_more_or_less_is_said(fields: dict[str, Any], words: str) -> None:
    assert bill_words(bill(**fields)) == words


def test_a_bill_without_differences_is_told_from_a_mere_number() -> None:
    assert "Nothing differs." in differences_html({"bill": bill()})
    assert "does not say what for" in differences_html({"bill": bill(lines=0)})


def test_what_commitments_paid_for_is_taken_off_once() -> None:
    names = (
        "exact_usd", "rounded_quantities_usd", "adjustments_usd", "effective_usd",
        "paid_for_by_commitments_usd", "commitments_bought_usd", "billed_usd",
    )  # fmt: skip
    explained = dict.fromkeys(names, "0.0") | {"paid_for_by_commitments_usd": "-1.5"}
    shown = explained_html({"exact": {"explained": explained}})
    assert "- paid for by commitments</td><td>1.50</td>" in shown
