"""A month against its budgets, from a real database: exact to the last digit, and no look ahead."""

import contextlib
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from costs import PriceBook, Sharing, Ticks, to_usd
from costs.budget import Budget, BudgetError, Scope, State
from costs.forecast import forecast_month
from costs.month import DAY_US, Month, start_us
from reports import load_price_book
from reports.budgets.anomalies import IDLE, PARTS
from reports.budgets.book import (
    add_budget,
    budgets_beside,
    change_budget,
    read_budgets,
    remove_budget,
)
from reports.budgets.report import BudgetReport, load_budgets, read_forecast
from store import Batch, Filter, commit, open_reader
from tests.budget_history import END_US as END_2025_US
from tests.budget_history import steady_days
from tests.fixtures_usage import node_sample, usage_record

HOUR_US = DAY_US // 24
FIRST = date(2026, 7, 1)
# A Wednesday at noon; the first day is known from 06:00 on.
END_US = start_us(date(2026, 9, 23)) + 12 * HOUR_US
SPIKE = date(2026, 9, 10)
BOOT, SECOND_BOOT = (f"0198c0de-0000-7000-8000-00000000000{n}" for n in (1, 2))
PRICES = """\
cloud,region,instance_type,purchase_option,usd_per_hour,valid_from,as_of,source
aws,us-east-1,c7i.xlarge,on_demand,0.24,,2026-06-01,a list
aws,us-east-1,g5.xlarge,on_demand,1.2,,2026-06-01,a list
"""
USD = Decimal(1)
EVERYTHING = Budget(Scope.EVERYTHING, 200 * USD)
SHOP = Budget(Scope.TENANT, 150 * USD, "shop")
SEARCH = replace(SHOP, value="search")
DIRECT = replace(SHOP, idle=Sharing.SEPARATE)
TEAM = Budget(Scope.LABEL, 50 * USD, "discovery", "team")
NOBODY = Budget(Scope.MODEL, USD, "no such model")
LATER = replace(SHOP, first=Month(2026, 10))


def history(to_us: int = END_US) -> Batch:
    """Return a machine at 5.76 USD a day, two tenants, and on one day a machine of another kind.

    A day has two workers of 24 hours; shop uses 4 hours of one and search 2, so shop causes 0.48
    USD, search 0.24, and 5.04 are idle. The other machine executes for search alone, next to
    nothing.
    """
    samples, records = [], []
    for at_us in range(start_us(FIRST) + 7 * HOUR_US, to_us + 1, HOUR_US):
        samples.append(node_sample(sampled_at_us=at_us, interval_us=HOUR_US, boot_id=BOOT))
        if start_us(SPIKE) < at_us <= start_us(SPIKE) + DAY_US:
            samples.append(
                node_sample(
                    sampled_at_us=at_us,
                    interval_us=HOUR_US,
                    node_id="node-2",
                    boot_id=SECOND_BOOT,
                    instance_type="g5.xlarge",
                )
            )
    if start_us(SPIKE) < to_us:
        records.append(
            usage_record(
                record_id="0198c0de-0000-7000-8000-00000000ffff",
                seq=1,
                boot_id=SECOND_BOOT,
                node_id="node-2",
                arrived_at_us=start_us(SPIKE) + HOUR_US,
                compute_us=1,
                tenant="search",
                labels={"team": "discovery"},
                request_bytes=0,
                response_bytes=0,
            )
        )
    days = (to_us - start_us(FIRST) - 9 * HOUR_US) // DAY_US + 1
    for day in range(days):
        for place, (tenant, team, hours) in enumerate(
            (("shop", "checkout", 4), ("search", "discovery", 2)), 1
        ):
            records.append(
                usage_record(
                    record_id=f"0198c0de-0000-7000-8000-{2 * day + place:012x}",
                    seq=2 * day + place,
                    boot_id=BOOT,
                    arrived_at_us=start_us(FIRST) + day * DAY_US + 9 * HOUR_US,
                    compute_us=hours * HOUR_US,
                    tenant=tenant,
                    labels={"team": team},
                    request_bytes=0,
                    response_bytes=0,
                )
            )
    return Batch(records=records, samples=samples)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("budgets") / "usage.duckdb"
    commit(path, history(), now_us=END_US)
    return path


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> PriceBook:
    folder = tmp_path_factory.mktemp("prices")
    (folder / "instances.csv").write_text(PRICES, encoding="utf-8")
    return load_price_book(folder)


@pytest.fixture(scope="module")
def found(database: Path, book: PriceBook) -> BudgetReport:
    return loaded(database, book, EVERYTHING, SHOP, DIRECT, TEAM, NOBODY, SEARCH, LATER)


def loaded(database: Path, book: PriceBook, *budgets: Budget) -> BudgetReport:
    found = load_budgets(database, book, budgets, END_US)
    assert found is not None
    return found


def usd(ticks: Ticks) -> Decimal:
    return to_usd(ticks, 6)


def test_a_month_against_its_budgets_is_what_a_person_works_out_by_hand(
    found: BudgetReport,
) -> None:
    assert found.forecast.month == Month(2026, 9)
    assert not found.stale_us
    assert not found.begins_late
    everything, shop, direct, team, nobody, _ = found.statuses
    # 22.5 days at 5.76, of which shop causes two thirds; a day at 1.2 an hour, all of it search's.
    spent = [usd(status.spent) for status in (everything, shop, direct, team, nobody)]
    assert spent == [Decimal(text) for text in ("158.4", "86.4", "11.04", "72", "0")]
    assert everything.burn_rate == Fraction(1584, 2000) / Fraction(225, 300)
    assert team.state is State.EXCEEDED
    # 1.92 a day and 28.8 more on the 10th: 48 to the 10th, 50 is passed on the 12th.
    assert team.exceeded_on == date(2026, 9, 12)
    assert nobody.state is State.UNKNOWN
    # 7.5 days at 3.84 to come.
    assert shop.month_end is not None
    assert shop.month_end.mid == pytest.approx(86.4 + 7.5 * 3.84, rel=0.01)
    assert shop.crossed == (50,)
    assert shop.state is State.WITHIN


def test_what_tenants_bear_is_everything_to_the_last_digit(found: BudgetReport) -> None:
    _, shop, _, _, _, search = found.statuses
    assert shop.spent + search.spent == found.forecast.spent
    for cost, one, two in zip(found.days, shop.days, search.days, strict=True):
        assert one.ticks + two.ticks == cost.ticks


def test_days_that_are_known_in_part_are_told_from_whole_ones(found: BudgetReport) -> None:
    days = found.days
    assert (days[0].day, days[0].whole, usd(days[0].ticks)) == (FIRST, False, Decimal("4.32"))
    assert (days[1].whole, usd(days[1].ticks)) == (True, Decimal("5.76"))
    assert (days[-1].whole, usd(days[-1].ticks)) == (False, Decimal("2.88"))
    assert len(days) == 85


def test_a_budget_of_another_month_is_kept_apart(found: BudgetReport) -> None:
    assert found.others == [LATER]


def test_the_day_of_a_second_machine_is_found_and_the_machine_named(found: BudgetReport) -> None:
    [seen] = found.anomalies.found
    assert (seen.day, seen.last_day, seen.stays) == (SPIKE, SPIKE, False)
    assert seen.actual == pytest.approx(5.76 + 28.8)
    assert seen.usual.value == pytest.approx(5.76)
    assert seen.driver is not None
    assert (seen.driver.dimension, seen.driver.value) == ("instance type", "g5.xlarge")
    assert seen.driver.new
    assert seen.driver.share == pytest.approx(1.0)


def test_a_day_is_judged_by_all_days_before_it(book: PriceBook, tmp_path: Path) -> None:
    # By the last few alone, what is said of a day would change as it gets older.
    path = tmp_path / "usage.duckdb"
    commit(path, steady_days(140, spike_ago=3), now_us=END_2025_US)
    found = load_budgets(path, book, [], END_2025_US)
    assert found is not None
    assert len(found.anomalies.cost.usual) == len(found.days) == 141
    [seen] = found.anomalies.found
    assert seen.driver is not None
    assert (seen.driver.dimension, seen.driver.value) == (PARTS, IDLE)


def test_of_thousands_of_tenants_the_one_that_drove_a_day_is_named(
    book: PriceBook, tmp_path: Path
) -> None:
    path = tmp_path / "usage.duckdb"
    samples = [
        node_sample(sampled_at_us=at_us, interval_us=HOUR_US, boot_id=BOOT)
        for at_us in range(start_us(FIRST) + HOUR_US, start_us(SPIKE) + DAY_US + 1, HOUR_US)
    ]
    # On the last day ten machines of one tenant ran, busy from beginning to end.
    for node in range(2, 12):
        fields = {"node_id": f"node-{node}", "boot_id": f"{BOOT[:-2]}{node:02d}"}
        for hour in range(1, 25):
            at_us = start_us(SPIKE) + hour * HOUR_US
            samples.append(node_sample(sampled_at_us=at_us, interval_us=HOUR_US, **fields))
    day = usage_record(
        boot_id=f"{BOOT[:-2]}02",
        node_id="node-2",
        arrived_at_us=start_us(SPIKE) + 1,
        compute_us=9 * 48 * HOUR_US,
        tenant="whale",
        request_bytes=0,
        response_bytes=0,
    )
    small = [
        usage_record(
            record_id=f"0198c0de-0000-7000-8000-{n:012x}",
            seq=n,
            boot_id=BOOT,
            arrived_at_us=start_us(SPIKE) - n % 30 * DAY_US + n,
            compute_us=1_000,
            tenant=f"tenant-{n % 300}",
            request_bytes=0,
            response_bytes=0,
        )
        for n in range(1, 1_000)
    ]
    commit(path, Batch(records=[day, *small], samples=samples), now_us=END_US)
    [seen] = loaded(path, book).anomalies.found
    assert seen.driver is not None
    assert (seen.driver.dimension, seen.driver.value) == ("tenant", "whale")


def test_a_forecast_of_the_past_is_the_one_that_was_made_then(
    database: Path, book: PriceBook, tmp_path: Path
) -> None:
    end = date(2026, 9, 7)
    then = tmp_path / "usage.duckdb"
    commit(then, history(start_us(end)), now_us=start_us(end))
    forecasts = []
    for path in (database, then):
        with open_reader(path) as connection:
            found = read_forecast(connection, book, end)
        assert found is not None
        forecasts.append(found)
    assert forecasts[0] == forecasts[1]
    forecast, days = forecasts[0]
    assert forecast == forecast_month(days, start_us(end))
    assert usd(forecast.spent) == 6 * Decimal("5.76")
    assert forecast.month_end is not None
    assert forecast.month_end.mid == pytest.approx(30 * 5.76)


def test_nothing_stored_is_no_report(book: PriceBook, tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    commit(path, Batch(), now_us=END_US)
    assert load_budgets(path, book, [SHOP], END_US) is None
    with open_reader(path) as connection:
        assert read_forecast(connection, book, date(2026, 9, 1)) is None


def test_the_first_hours_of_a_service_are_spent_and_no_forecast(
    book: PriceBook, tmp_path: Path
) -> None:
    path = tmp_path / "usage.duckdb"
    to_us = start_us(FIRST) + 10 * HOUR_US
    commit(path, history(to_us), now_us=to_us)
    found = load_budgets(path, book, [SHOP], to_us + DAY_US)
    assert found is not None
    assert found.stale_us == DAY_US
    assert found.begins_late
    assert usd(found.forecast.spent) == Decimal("0.96")
    assert found.forecast.month_end is None
    assert found.statuses[0].state is State.UNKNOWN
    assert found.anomalies.found == ()


def test_what_time_alone_cost_before_the_first_fact_is_in_the_month(tmp_path: Path) -> None:
    (tmp_path / "instances.csv").write_text(PRICES, encoding="utf-8")
    (tmp_path / "resources.toml").write_text(
        '[[cache]]\nname = "redis"\ncloud = "aws"\nregion = "us-east-1"\n'
        'usd_per_hour = "0.1"\nfrom = 2026-06-01\n',
        encoding="utf-8",
    )
    path = tmp_path / "usage.duckdb"
    to_us = start_us(FIRST) + 34 * HOUR_US
    commit(path, history(to_us), now_us=to_us)
    found = load_budgets(path, load_price_book(tmp_path), [EVERYTHING, SHOP], to_us)
    assert found is not None
    # 34 hours of the cache, 28 of the machine; of the first day it is not known what is usual.
    assert usd(found.forecast.spent) == Decimal("3.4") + Decimal("6.72")
    assert [day.whole for day in found.days] == [False, False]
    assert usd(found.statuses[0].spent) == usd(found.forecast.spent)
    # A tenant bears idle machine time, and no cache: two thirds of the machine.
    assert usd(found.statuses[1].spent) == Decimal("4.48")


def test_simulated_runs_can_be_left_out(database: Path, book: PriceBook) -> None:
    where = Filter(simulated=("yes",), tenant=("search",))
    assert load_budgets(database, book, [], END_US, where) is None
    real = load_budgets(database, book, [], END_US, Filter(simulated=("no",)))
    assert real is not None
    assert usd(real.forecast.spent) == Decimal("158.4")


def test_a_machine_without_a_price_is_named(book: PriceBook, tmp_path: Path) -> None:
    path = tmp_path / "usage.duckdb"
    unknown = node_sample(sampled_at_us=END_US, interval_us=HOUR_US, instance_type="x9.huge")
    commit(path, Batch(samples=[unknown]), now_us=END_US)
    assert [m.instance_type for m in loaded(path, book).unpriced] == ["x9.huge"]


def test_budgets_are_added_changed_and_removed_in_their_file(tmp_path: Path) -> None:
    path = budgets_beside(tmp_path / "usage.duckdb")
    assert path == tmp_path / "budgets.csv"
    assert read_budgets(path) == []
    add_budget(path, SHOP)
    add_budget(path, SEARCH)
    path.write_text("# for the board\n" + path.read_text(), encoding="utf-8")
    dearer = replace(SHOP, usd_per_month=Decimal("175.50"))
    change_budget(path, SHOP, dearer)
    assert read_budgets(path) == [dearer, SEARCH]
    remove_budget(path, SEARCH)
    assert read_budgets(path) == [dearer]
    assert path.read_text(encoding="utf-8").startswith("# for the board\n")
    assert [entry.name for entry in tmp_path.iterdir()] == ["budgets.csv"]


ADDER = """
import sys
from decimal import Decimal
from pathlib import Path
from costs.budget import Budget, Scope
from reports.budgets.book import add_budget
print("ready", flush=True)
sys.stdin.readline()
for n in range(20):
    add_budget(Path(sys.argv[1]), Budget(Scope.TENANT, Decimal(1), f"{sys.argv[2]} {n}"))
"""


def test_of_two_who_save_at_once_nobody_loses_a_row(tmp_path: Path) -> None:
    path = budgets_beside(tmp_path / "usage.duckdb")
    with contextlib.ExitStack() as stack:
        writers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", ADDER, str(path), name],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name in ("Ada", "Ben")
        ]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        for writer in writers:
            writer.wait(60)
    assert [writer.returncode for writer in writers] == [0, 0]
    names = {budget.value for budget in read_budgets(path)}
    assert names == {f"{name} {n}" for name in ("Ada", "Ben") for n in range(20)}


def test_a_change_that_cannot_be_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = budgets_beside(tmp_path / "usage.duckdb")
    add_budget(path, SHOP)
    before = path.read_bytes()
    with pytest.raises(BudgetError, match="two budgets for tenant shop share a month"):
        add_budget(path, replace(SHOP, usd_per_month=USD))
    with pytest.raises(BudgetError, match="changed or removed by somebody else"):
        change_budget(path, SEARCH, SHOP)
    with pytest.raises(BudgetError, match="changed or removed by somebody else"):
        remove_budget(path, replace(SHOP, usd_per_month=USD))
    assert path.read_bytes() == before
    path.write_text("no budgets\n", encoding="utf-8")
    with pytest.raises(BudgetError, match=r"budgets\.csv line 1 must be"):
        add_budget(path, SHOP)
    assert path.read_text(encoding="utf-8") == "no budgets\n"


def test_a_place_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BudgetError, match="nothing was changed"):
        add_budget(tmp_path / "file" / "budgets.csv", SHOP)
    (tmp_path / "budgets.csv").mkdir()
    with pytest.raises(BudgetError, match=r"budgets\.csv"):
        read_budgets(tmp_path / "budgets.csv")
