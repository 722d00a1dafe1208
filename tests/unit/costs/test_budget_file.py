"""The file of budgets: written as it is read, and read strictly."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.budget import Budget, BudgetError, Scope
from costs.budget_file import COLUMNS, comments_of, format_budgets, parse_budgets
from costs.month import Month
from costs.sharing import Sharing

HEADER = ",".join(COLUMNS)
SHOP = Budget(Scope.TENANT, Decimal(300), "shop")
PRINTABLE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=128).filter(
    lambda text: text == text.strip() and text.isprintable()
)
MONTHS = st.one_of(st.none(), st.builds(Month, st.integers(2000, 2099), st.integers(1, 12)))
BUDGETS = st.builds(
    lambda usd, first, months, thresholds, idle, value, label: Budget(
        Scope.LABEL, usd, value, label, first, months, thresholds, idle
    ),
    st.decimals("0.01", 10**11, places=2),
    MONTHS,
    st.none(),
    st.lists(st.integers(1, 1000), unique=True, max_size=5).map(lambda found: tuple(sorted(found))),
    st.sampled_from([Sharing.PROPORTIONAL, Sharing.SEPARATE]),
    PRINTABLE,
    PRINTABLE,
)


def read(text: str) -> list[Budget]:
    return parse_budgets(text.encode(), "budgets.csv")


def test_a_file_says_what_a_person_reads_in_it() -> None:
    found = read(
        "# agreed on 3 October\n"
        f"{HEADER}\n"
        "everything,,,1200.50,2026-11,2027-03,50 80 100,proportional\n"
        "\n"
        "tenant,,shop,300,,,80%,separate\n"
        'label,team,"check, out",10,,,,proportional\n'
        ",,,,,,,\n"
    )
    assert found == [
        Budget(
            Scope.EVERYTHING,
            Decimal("1200.50"),
            first=Month(2026, 11),
            last=Month(2027, 3),
        ),
        replace(SHOP, thresholds=(80,), idle=Sharing.SEPARATE),
        Budget(Scope.LABEL, Decimal(10), "check, out", "team", thresholds=()),
    ]


@given(budget=BUDGETS)
def test_what_is_written_is_read_back(budget: Budget) -> None:
    assert read(format_budgets([budget, SHOP])) == [budget, SHOP]


@given(value=st.text("=+-@'x", min_size=1, max_size=6))
def test_no_name_is_a_formula_to_a_spreadsheet_and_each_comes_back(value: str) -> None:
    budget = replace(SHOP, value=value)
    text = format_budgets([budget])
    assert text.splitlines()[1].split(",")[2][0] in "'x"
    assert read(text) == [budget]
    assert read(f"{HEADER}\ntenant,,=now(),1,,,,proportional\n")[0].value == "=now()"


def test_comments_are_kept_and_stand_first() -> None:
    text = f"# one\n{HEADER}\n# two\ntenant,,shop,300,,,50 80 100,proportional\n"
    again = format_budgets(read(text), comments_of(text.encode()))
    assert again == f"# one\n# two\n{HEADER}\ntenant,,shop,300,,,50 80 100,proportional\n"


def test_a_file_of_a_spreadsheet_is_read() -> None:
    text = f'\ufeff"# a, b",,,,,,,\r\n{HEADER}\r\ntenant,,shop,300,,,50 80 100,proportional\r\n'
    assert read(text) == [SHOP]
    assert comments_of(text.encode()) == ['"# a, b",,,,,,,']


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", HEADER, f"{HEADER}\n"])
def test_a_file_without_a_row_has_no_budget(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("tenant,,shop,300,,", "8 fields expected, found 6"),
        ("team,,shop,300,,,,proportional", "scope is 'team'; accepted: everything, tenant"),
        ("tenant,,shop,300,,,,shared", "idle is 'shared'; accepted: proportional, separate"),
        ("tenant,,shop,300,,,,even", "idle is 'even'; accepted: proportional, separate"),
        ("tenant,,shop,three,,,,proportional", "usd_per_month is 'three'"),
        ('tenant,,shop,"1,200",,,,proportional', "usd_per_month is '1,200'; accepted: USD, as in"),
        ("tenant,,shop,,,,,proportional", "usd_per_month is ''"),
        ("tenant,,shop,1_200,,,,proportional", "usd_per_month is '1_200'; accepted: USD, as in"),
        ("tenant,,shop,\uff11,,,,proportional", "usd_per_month is '\uff11'"),
        ("tenant,,shop,1e3,,,,proportional", "usd_per_month is '1e3'"),
        ("tenant,,shop,-5,,,,proportional", "usd_per_month is '-5'"),
        ("tenant,,shop,0,,,,proportional", "usd_per_month is 0; accepted: above 0"),
        ("tenant,,shop,1,Nov 2026,,,proportional", "from: month is 'Nov 2026'; accepted: a year"),
        ("tenant,,shop,1,,2026-13,,proportional", "to: month is 2026-13"),
        ("tenant,,shop,1,,,half,proportional", "thresholds_percent is 'half'"),
        ("tenant,,shop,1,,,50.5,proportional", "thresholds_percent is '50.5'"),
        ("tenant,,shop,1,,,99999,proportional", "thresholds_percent is '99999'"),
        ('tenant,,"shop,1,,,,proportional', "unexpected end of data"),
        ("tenant,,search,7,,,,proportional", "two budgets for tenant search share a month"),
    ],
)
def test_a_wrong_row_is_refused_with_line_field_value_and_remedy(row: str, complaint: str) -> None:
    text = f"# note\n{HEADER}\ntenant,,search,1,,,,proportional\n{row}\n"
    with pytest.raises(BudgetError, match=r"budgets\.csv line 4: ") as refused:
        read(text)
    assert complaint in str(refused.value)


def test_a_wrong_header_and_what_is_no_text_are_refused() -> None:
    with pytest.raises(BudgetError, match=r"budgets\.csv line 1 must be scope,label,value"):
        read("tenant,usd\nshop,1\n")
    with pytest.raises(BudgetError, match=r"budgets\.csv line 2: not UTF-8"):
        parse_budgets(b"a\n\xff\xfe", "budgets.csv")


@given(content=st.binary(max_size=300))
def test_no_bytes_bring_down_the_reader(content: bytes) -> None:
    for text in (content, HEADER.encode() + b"\n" + content):
        try:
            parse_budgets(text, "budgets.csv")
        except BudgetError as error:
            assert str(error).startswith("budgets.csv line ")
