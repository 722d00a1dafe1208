"""The file of prices of machines is read strictly; `test_shipped_prices` writes it back."""

import pytest

from costs import PriceFileError, parse_prices

HEADER = "cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source"


def test_comments_and_blank_lines_are_skipped_and_lines_still_counted() -> None:
    text = f"# prices\n\n{HEADER}\n# a note\naws,r,t,spot,x,,2026,s\n"
    with pytest.raises(PriceFileError, match="book line 5: usd_per_hour is 'x'"):
        list(parse_prices(text, "book"))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("aws,r,t,spot,0.5,,2026", "8 fields expected, found 7"),
        (",r,t,spot,0.5,,2026,s", "cloud is empty"),
        ("aws,r,t,spot,0.5,,,s", "as_of is empty"),
        ("aws,r,t,rented,0.5,,2026,s", "purchase_option is 'rented'; accepted: on_demand"),
        ("aws,r,t,spot,-1,,2026,s", "usd_per_hour is '-1'"),
        ("aws,r,t,spot,nan,,2026,s", "usd_per_hour is 'nan'"),
        ("aws,r,t,spot,Infinity,,2026,s", "usd_per_hour is 'Infinity'"),
        ("aws,r,t,spot,0.1234567,,2026,s", "at most six decimals"),
        ("aws,r,t,spot,0.5,yesterday,2026,s", "valid_from is 'yesterday'; accepted: a date"),
    ],
)
def test_a_wrong_row_is_refused_with_line_field_value_and_remedy(row: str, complaint: str) -> None:
    with pytest.raises(PriceFileError, match="book line 2") as refused:
        list(parse_prices(f"{HEADER}\n{row}\n", "book"))
    assert complaint in str(refused.value)


@pytest.mark.parametrize("text", ["", "cloud,region\n", "a,b,c\n1,2,3\n"])
def test_a_wrong_header_is_refused(text: str) -> None:
    with pytest.raises(PriceFileError, match="header must be cloud,region"):
        list(parse_prices(text, "book"))
