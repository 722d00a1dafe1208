"""The Budgets page: exact where money is spent, honest where it is forecast, and able to change."""

from decimal import Decimal
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from costs.budget import Budget, Scope
from costs.month import Month
from reports.budgets.book import add_budget, budgets_beside, read_budgets, remove_budget
from store import commit
from tests.budget_history import END_US, steady_days
from tests.integration.dashboard_reader import Reader, html, messages, specs, text

# The page is as of the newest fact, whenever it is looked at.
STALE = "No data for "
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    found = Reader(tmp_path, monkeypatch)
    price = "aws,us-east-1,c7i.xlarge,on_demand,0.5,,2026-01-01,a list\n"
    header = "cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source\n"
    (found.prices / "instances.csv").write_text(header + price, encoding="utf-8")
    return found


def fill(reader: Reader, days: int, *, spike_ago: int | None = None, **record: object) -> None:
    """Store `days` whole days at 12 USD and half of the last one."""
    commit(reader.database, steady_days(days, spike_ago=spike_ago, **record), now_us=END_US)


def figure(page: AppTest, key: str) -> str:
    shown = html(page).split(f'data-figure="{key}"')[1]
    return shown.split('<p class="value">')[1].split("<span")[0]


def test_without_a_database_the_page_says_how_to_get_one(reader: Reader) -> None:
    page = reader.page("budgets")
    assert "No database yet" in text(page)
    assert not messages(page)


def test_a_young_service_has_spent_and_no_forecast(reader: Reader) -> None:
    fill(reader, 5)
    page = reader.page("budgets")
    assert figure(page, "month-end") == "\N{EN DASH}"
    assert figure(page, "anomalies") == "\N{EN DASH}"
    assert "No forecast yet: 5 whole days since the first cost are known, 28 are needed." in html(
        page
    )
    assert "No day can be judged yet" in html(page)
    assert "No budget holds in this month." in html(page)
    assert len(specs(page)) == 2


def test_budgets_forecast_anomaly_and_score_are_shown(reader: Reader) -> None:
    fill(reader, 80, spike_ago=7, tenant=MARKUP)
    path = budgets_beside(reader.database)
    for budget in (
        Budget(Scope.EVERYTHING, Decimal(290)),
        Budget(Scope.TENANT, Decimal(100_000), MARKUP),
        Budget(Scope.MODEL, Decimal(5), "no such model"),
        Budget(Scope.LABEL, Decimal(350), "checkout", "team"),
        Budget(Scope.LABEL, Decimal(350), "checkout", "project", first=Month(2025, 10)),
    ):
        add_budget(path, budget)
    page = reader.page("budgets")
    shown = html(page)
    # 23.5 days at 12 USD and 12 more on one of them; 6.5 days to come.
    assert figure(page, "month-spent") == "294.00"
    assert figure(page, "month-end") == "372.00"
    assert '<span class="promise missed">exceeded</span> on 24 Sep' in shown
    assert '<span class="promise met">within</span></td>' in shown
    assert '<span class="promise missed">will exceed</span> on 29 Sep' in shown
    assert "no forecast yet</span>: 0 of 28 days" in shown
    assert "project checkout" in shown
    assert MARKUP not in shown
    assert "tenant &lt;img src=x onerror=alert(1)&gt;" in shown
    assert figure(page, "anomalies") == "1"
    assert "<td>24.00</td><td>12.00 (10.20 to 13.80)</td><td>12.00</td>" in shown
    assert "P10 to P90 would have held" in shown
    assert [message[: len(STALE)] for message in messages(page)] == [STALE]
    [outlook, _] = specs(page)
    assert [each["name"] for each in outlook["data"]][-2:] == ["Budget, spent evenly", "Budget"]


def test_the_chart_is_about_the_budget_that_the_address_names(reader: Reader) -> None:
    fill(reader, 40)
    path = budgets_beside(reader.database)
    add_budget(path, Budget(Scope.TENANT, Decimal(70), "shop"))
    for query, amounts in (("", [70, 70]), ("budget=tenant+shop", [70, 70])):
        outlook = specs(reader.page("budgets", query))[0]
        assert outlook["data"][-1]["y"] == amounts
    whole = specs(reader.page("budgets", "budget=everything"))[0]
    assert "Budget" not in [each["name"] for each in whole["data"]]


def test_a_budget_is_added_changed_and_removed_on_the_page(reader: Reader) -> None:
    fill(reader, 3)
    path = budgets_beside(reader.database)
    page = reader.page("budgets")
    page.selectbox(key="budget-0-new-scope").select(Scope.TENANT)
    reader.run(page)
    page.selectbox(key="budget-0-new-value").select("shop")
    page.text_input(key="budget-0-new-usd").set_value("120.50")
    page.text_input(key="budget-0-new-thresholds").set_value("60, 90")
    page.button(key="budget-0-new-save").click()
    reader.run(page)
    [added] = read_budgets(path)
    assert added == Budget(Scope.TENANT, Decimal("120.50"), "shop", thresholds=(60, 90))
    assert [message.value for message in page.success] == ["Saved\\: the budget for tenant shop."]
    assert "<td>120.50</td>" in html(page)

    page.selectbox(key="budget-choice-1").select_index(1)
    reader.run(page)
    page.text_input(key="budget-1-tenant shop-usd").set_value("99")
    page.button(key="budget-1-tenant shop-save").click()
    reader.run(page)
    assert [budget.usd_per_month for budget in read_budgets(path)] == [Decimal(99)]

    page.selectbox(key="budget-choice-2").select_index(1)
    reader.run(page)
    page.button(key="budget-2-tenant shop-remove").click()
    reader.run(page)
    assert read_budgets(path) == []


def test_what_cannot_be_saved_is_told_and_what_was_typed_stays(reader: Reader) -> None:
    fill(reader, 3)
    page = reader.page("budgets")
    page.text_input(key="budget-0-new-usd").set_value("1,200")
    page.button(key="budget-0-new-save").click()
    reader.run(page)
    told = "Not saved: usd_per_month is '1,200'; accepted: USD, as in 1200 or 1200.50."
    assert told in messages(page)
    assert page.text_input(key="budget-0-new-usd").value == "1,200"
    assert not budgets_beside(reader.database).exists()


def test_a_budget_changed_by_somebody_else_meanwhile_is_not_overwritten(reader: Reader) -> None:
    fill(reader, 3)
    path = budgets_beside(reader.database)
    add_budget(path, Budget(Scope.EVERYTHING, Decimal(100)))
    page = reader.page("budgets")
    page.selectbox(key="budget-choice-0").select_index(1)
    reader.run(page)
    theirs = path.read_text(encoding="utf-8").replace("100,", "200,", 1)
    path.write_text(theirs, encoding="utf-8")
    # The page is drawn again, with their file, before anything is saved.
    page.text_input(key="budget-0-everything-thresholds").set_value("90")
    reader.run(page)
    page.button(key="budget-0-everything-save").click()
    reader.run(page)
    assert any("was changed or removed by somebody else" in told for told in messages(page))
    assert path.read_text(encoding="utf-8") == theirs
    page.selectbox(key="budget-choice-1").select_index(1)
    reader.run(page)
    assert page.text_input(key="budget-1-everything-usd").value == "200"


def test_what_is_typed_for_one_budget_never_goes_to_its_neighbour(reader: Reader) -> None:
    fill(reader, 3)
    path = budgets_beside(reader.database)
    budgets = [Budget(Scope.MODEL, Decimal(1), name) for name in ("first", "second", "third")]
    for budget in budgets:
        add_budget(path, budget)
    page = reader.page("budgets")
    page.selectbox(key="budget-choice-0").select_index(2)
    reader.run(page)
    remove_budget(path, budgets[1])
    page.text_input(key="budget-0-model second-usd").set_value("7")
    reader.run(page)
    assert page.selectbox(key="budget-choice-0").value is None
    assert page.button(key="budget-0-new-save").label == "Add"
    assert read_budgets(path) == [budgets[0], budgets[2]]


def test_a_broken_file_is_told_and_the_rest_of_the_page_stands(reader: Reader) -> None:
    fill(reader, 3)
    budgets_beside(reader.database).write_text("scope\n<b>\n", encoding="utf-8")
    page = reader.page("budgets")
    assert messages(page)[0].startswith("Budgets are left out: ")
    assert "budgets.csv line 1 must be scope,label,value" in messages(page)[0]
    assert 'data-figure="month-spent"' in html(page)
    assert not page.button


def test_simulated_history_is_marked_and_one_click_hides_it(reader: Reader) -> None:
    fill(reader, 3, origin="simulated")
    page = reader.page("budgets")
    assert '<span class="simulated">simulated</span>' in html(page)
    page.button(key="simulated-switch").click()
    reader.run(page)
    assert "No requests recorded yet" in text(page)
    assert page.button(key="simulated-switch").label == "Show simulated history"
    page.button(key="simulated-switch").click()
    reader.run(page)
    assert figure(page, "month-spent") == "42.00"
