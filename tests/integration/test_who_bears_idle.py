"""One rule for idle time on every page: the same tenant, the same days, the same cost."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from costs import Catalogue, Machine, Price, PriceBook, Sharing, Ticks, to_usd
from costs.budget import Budget, Scope
from reports.budgets.report import load_budgets
from reports.costs import load_costs
from reports.pools import read_pools
from reports.pricing import Pricing
from reports.variance.usages import read_usages
from reports.window import Window
from store import DAY_US, EVERYTHING, HOUR_US, Batch, By, Period, commit, open_reader
from tests.fixtures_usage import node_sample, usage_record

# The first of November 2026, 00:00 UTC; small machines cost twice as much from noon of the third.
FROM_US = 1_793_491_200_000_000
TO_US = FROM_US + 4 * DAY_US
CHANGE_US = FROM_US + 2 * DAY_US + 12 * HOUR_US
SMALL = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
LARGE = Machine("aws", "us-east-1", "g4dn.xlarge", "on_demand")
BOOK = PriceBook(
    Catalogue(
        [
            Price(SMALL, 100_000, None, "2026-01-01", "test"),
            Price(SMALL, 200_000, CHANGE_US, "2026-01-01", "test"),
            Price(LARGE, 600_000, None, "2026-01-01", "test"),
        ]
    )
)
NODES = {"n1": SMALL, "n2": SMALL, "n3": LARGE}
# (hours after the beginning, node, tenant, minutes executed)
EXECUTED = (
    (1, "n1", "a", 30),
    (1, "n2", "b", 6),
    (1, "n3", "b", 6),
    (25, "n1", "b", 12),
    (49, "n2", "a", 20),
    (63, "n1", "b", 20),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("idle") / "usage.duckdb"
    samples = [
        node_sample(
            node_id=node,
            boot_id=_boot(node),
            sampled_at_us=FROM_US + (hour + 1) * HOUR_US,
            interval_us=HOUR_US,
            workers_ready=1,
            instance_type=machine.instance_type,
        )
        for node, machine in NODES.items()
        for hour in range(4 * 24)
    ]
    records = [
        usage_record(
            record_id=f"0198c0de-0000-7000-8000-{place:012x}",
            seq=place,
            boot_id=_boot(node),
            node_id=node,
            arrived_at_us=FROM_US + hours * HOUR_US,
            compute_us=minutes * HOUR_US // 60,
            tenant=tenant,
            request_bytes=0,
            response_bytes=0,
        )
        for place, (hours, node, tenant, minutes) in enumerate(EXECUTED, 1)
    ]
    commit(path, Batch(records=records, samples=samples), now_us=TO_US)
    return path


def _boot(node: str) -> str:
    return f"0198c0de-0000-7000-8000-00000000000{node[1:]}"


def cost_of_tenants(database: Path, rule: Sharing, days: int = 4) -> dict[str | None, Ticks]:
    found = load_costs(
        database,
        BOOK,
        Window("days", days * DAY_US, DAY_US),
        FROM_US + days * DAY_US,
        EVERYTHING,
        (By.TENANT,),
        rule,
    )
    assert found is not None
    return {each.key[0]: each.cost for each in found.slices} | {None: found.apart}


def test_a_day_by_hand(database: Path) -> None:
    """Two small machines cost 4.8 USD, the large one 14.4; a and b used 30 and 6 minutes of the
    small ones, b alone the large one.
    """
    usd = {
        rule: {who: to_usd(cost, 6) for who, cost in cost_of_tenants(database, rule, 1).items()}
        for rule in (Sharing.SEPARATE, Sharing.PROPORTIONAL, Sharing.EVEN)
    }
    direct_a, direct_b = Decimal("0.05"), Decimal("0.01") + Decimal("0.06")
    idle_small, idle_large = Decimal("4.8") - Decimal("0.06"), Decimal("14.4") - Decimal("0.06")
    assert usd[Sharing.SEPARATE] == {"a": direct_a, "b": direct_b, None: idle_small + idle_large}
    assert usd[Sharing.PROPORTIONAL] == {"a": 4, "b": Decimal("0.8") + Decimal("14.4"), None: 0}
    assert usd[Sharing.EVEN] == {
        "a": direct_a + idle_small / 2,
        "b": direct_b + idle_small / 2 + idle_large,
        None: 0,
    }


def test_a_window_is_its_days(database: Path) -> None:
    """The cost of a window is the sum of those of its days, so a month is that of its weeks."""
    both = cost_of_tenants(database, Sharing.PROPORTIONAL, 2)
    first = cost_of_tenants(database, Sharing.PROPORTIONAL, 1)
    # On the second day b has the small machines alone, and nobody the large one.
    assert {who: to_usd(both[who] - first[who], 6) for who in both} == {
        "a": 0,
        "b": Decimal("4.8"),
        None: Decimal("14.4"),
    }


def test_costs_variance_and_budgets_say_the_same_of_a_tenant(database: Path) -> None:
    costs = cost_of_tenants(database, Sharing.PROPORTIONAL)
    with open_reader(database) as connection:
        period, pricing = Period(FROM_US, TO_US), Pricing(BOOK.machines)
        pools = read_pools(connection, period, pricing, EVERYTHING)
        shared = read_usages(connection, period, pools, By.TENANT, pricing, EVERYTHING)
    explained = {key[0]: usage.cost for key, usage in shared.usages.items()}
    assert explained | {None: shared.unused} == costs
    budgets = [Budget(Scope.TENANT, Decimal(100), tenant) for tenant in ("a", "b")]
    report = load_budgets(database, BOOK, budgets, TO_US)
    assert report is not None
    assert {each.budget.value: each.spent for each in report.statuses} | {
        None: costs[None]
    } == costs
    assert sum(costs.values(), Fraction(0)) == report.forecast.spent
