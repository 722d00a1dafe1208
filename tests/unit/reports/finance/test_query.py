"""What a finance file may be asked for."""

from datetime import date

import pytest

from costs import Sharing
from reports.finance import FinanceError, FinanceQuery, IdleRule


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("separate", IdleRule()),
        ("even", IdleRule(Sharing.EVEN)),
        ("owner: platform team", IdleRule(Sharing.OWNER, "platform team")),
    ],
)
def test_a_rule_for_idle_time_is_read(text: str, found: IdleRule) -> None:
    assert IdleRule.parse(text) == found


@pytest.mark.parametrize("text", ["", "owner", "owner:", "half", "even:x", "owner:" + "x" * 129])
def test_a_rule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(FinanceError, match=r"accepted: separate.* 128 characters"):
        IdleRule.parse(text)


def test_a_period_that_is_none_is_refused() -> None:
    for first, last in (("2026-11-01", "2026-11-01"), ("2026-12-01", "2026-11-01")):
        with pytest.raises(FinanceError, match="an end after the begin"):
            FinanceQuery(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize("name", ["", "x" * 129, "not\udc80unicode", "a\nb"])
def test_a_cloud_or_an_owner_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(FinanceError, match="accepted: "):
        FinanceQuery(date(2026, 11, 1), date(2026, 12, 1), cloud=name)
    with pytest.raises(FinanceError, match="accepted: "):
        IdleRule.parse(f"owner:{name}")
