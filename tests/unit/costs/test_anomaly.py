"""An anomaly comes with its driver: the slice it stands in, and whether requests or their cost."""

from datetime import date, timedelta

import pytest

from costs.anomaly import Anomalies, Anomaly, Measure, Slices, Use, find_anomalies

MONDAY = date(2026, 6, 1)
DAYS = 60
WEEK = (1.1, 1.15, 1.15, 1.1, 1.05, 0.7, 0.75)


def usual(level: float, days: int = DAYS) -> list[float]:
    return [level * WEEK[n % 7] for n in range(days)]


class Service:
    """Three models for two tenants in one region; tests change what some of it cost and served."""

    def __init__(self) -> None:
        # By (model, tenant): USD and requests of each day.
        self.usd = {
            (model, tenant): usual(level * part)
            for model, level in (("large", 60.0), ("small", 30.0), ("tiny", 10.0))
            for tenant, part in (("shop", 0.7), ("search", 0.3))
        }
        self.requests = {key: [1_000 * value for value in usd] for key, usd in self.usd.items()}

    def scale(self, day: int, factor: float, *keys: tuple[str, str], requests: bool = True) -> None:
        for key in keys:
            self.usd[key][day] *= factor
            if requests:
                self.requests[key][day] *= factor

    def anomalies(self, *, running: bool = False) -> Anomalies:
        slices: Slices = {
            "model": self._by(0),
            "tenant": self._by(1),
            "region": {"us-east-1": self._sum(list(self.usd))},
        }
        return find_anomalies(MONDAY, self._sum(list(self.usd)), slices, running=running)

    def only(self) -> Anomaly:
        [found] = self.anomalies().found
        return found

    def _by(self, place: int) -> dict[str | None, Use]:
        values = {key[place] for key in self.usd}
        return {value: self._sum([k for k in self.usd if k[place] == value]) for value in values}

    def _sum(self, keys: list[tuple[str, str]]) -> Use:
        return Use(
            [sum(day) for day in zip(*(self.usd[key] for key in keys), strict=True)],
            [sum(day) for day in zip(*(self.requests[key] for key in keys), strict=True)],
        )


@pytest.fixture
def service() -> Service:
    return Service()


def test_nothing_unusual_is_no_anomaly(service: Service) -> None:
    assert service.anomalies().found == ()


def test_more_requests_of_one_model_are_named_as_such(service: Service) -> None:
    service.scale(50, 6.0, ("small", "shop"), ("small", "search"))
    found = service.only()
    assert (found.measure, found.day, found.stays) == (
        Measure.COST,
        MONDAY + timedelta(50),
        False,
    )
    # Five times 30 above the 100 of a usual day, on a Tuesday of factor 1.15.
    assert found.excess_usd == pytest.approx(5 * 30 * 1.15)
    assert found.cost_change == pytest.approx(1.5)
    driver = found.driver
    assert driver is not None
    assert (driver.dimension, driver.value, driver.new) == ("model", "small", False)
    assert driver.share == pytest.approx(1.0)
    assert driver.by_requests_usd == pytest.approx(driver.excess_usd)
    assert driver.by_unit_cost_usd == pytest.approx(0.0, abs=1e-6)


def test_dearer_requests_of_one_tenant_are_named_as_such_and_told_once(service: Service) -> None:
    shop = [key for key in service.usd if key[1] == "search"]
    service.scale(50, 4.0, *shop, requests=False)
    found = service.only()
    assert found.measure is Measure.COST
    assert found.requests_change == pytest.approx(0.0)
    driver = found.driver
    assert driver is not None
    assert (driver.dimension, driver.value) == ("tenant", "search")
    assert driver.by_unit_cost_usd == pytest.approx(driver.excess_usd)


def test_both_causes_are_told_apart_by_hand_worked_numbers(service: Service) -> None:
    service.requests["large", "shop"][50] *= 2
    service.usd["large", "shop"][50] *= 6
    driver = service.only().driver
    assert driver is not None
    assert (driver.dimension, driver.value) == ("model", "large")
    # 60 USD become 18 + 6 x 42 = 270 x 1.15; requests become 18 + 84 = 102 of 60.
    # L(270, 60) = 210 / ln 4.5 = 139.62; x ln 1.7 = 74.09 of the 210, times 1.15.
    assert driver.excess_usd == pytest.approx(210 * 1.15)
    assert driver.by_requests_usd == pytest.approx(74.09 * 1.15, abs=0.01)
    assert driver.by_unit_cost_usd == pytest.approx((210 - 74.09) * 1.15, abs=0.01)


def test_where_everything_rose_alike_no_slice_is_blamed(service: Service) -> None:
    service.scale(50, 2.0, *service.usd)
    assert service.only().driver is None


def test_a_model_that_is_most_of_the_cost_can_still_be_the_driver(service: Service) -> None:
    for key in service.usd:
        if key[0] != "large":
            service.usd[key] = [value / 50 for value in service.usd[key]]
    service.scale(50, 2.0, ("large", "shop"), ("large", "search"))
    driver = service.only().driver
    assert driver is not None
    assert (driver.dimension, driver.value) == ("model", "large")


def test_the_only_value_of_a_dimension_is_never_blamed_though_idle_time_is_most_of_the_cost() -> (
    None
):
    # One model for two tenants; of what the machines cost, a tenth is used. Then one tenant uses
    # as much as everything cost before, on machines that came for it.
    shop, search, idle = usual(6), usual(4), usual(90)
    requests = [1_000 * (a + b) for a, b in zip(shop, search, strict=True)]
    search[50] += 100
    model = [a + b for a, b in zip(shop, search, strict=True)]
    whole = Use([a + b for a, b in zip(model, idle, strict=True)], requests)
    slices: Slices = {
        "model": {"digits": Use(model, requests)},
        "tenant": {"shop": Use(shop), "search": Use(search)},
        "region": {"us-east-1": whole},
    }
    [found] = find_anomalies(MONDAY, whole, slices).found
    assert found.driver is not None
    assert (found.driver.dimension, found.driver.value) == ("tenant", "search")


def test_a_new_model_is_named_as_new(service: Service) -> None:
    service.usd["newest", "shop"] = [0.0] * DAYS
    service.requests["newest", "shop"] = [0.0] * DAYS
    service.usd["newest", "shop"][50] = 80.0
    service.requests["newest", "shop"][50] = 5_000.0
    driver = service.only().driver
    assert driver is not None
    assert (driver.dimension, driver.value, driver.new) == ("model", "newest", True)
    assert driver.share == pytest.approx(1.0)
    assert driver.by_requests_usd is None


def test_a_drop_names_what_dropped(service: Service) -> None:
    service.scale(50, 0.0, ("large", "shop"), ("large", "search"))
    found = service.only()
    assert found.excess_usd == pytest.approx(-60 * 1.15)
    assert found.driver is not None
    assert (found.driver.value, found.driver.by_requests_usd) == ("large", None)


def test_a_jump_of_unit_cost_is_found_where_cost_is_as_usual(service: Service) -> None:
    # A tenant sends a third of its requests and the machines cost what they always do.
    for key in service.usd:
        if key[1] == "shop":
            service.requests[key][50] /= 3
    found = service.only()
    assert found.measure is Measure.UNIT_COST
    assert found.usual.value == pytest.approx(0.001)
    # 30,000 + 70,000 / 3 of 100,000 requests.
    assert found.actual == pytest.approx(0.001 / (0.3 + 0.7 / 3))
    assert found.cost_change == pytest.approx(0.0)
    assert found.requests_change == pytest.approx(-0.7 * 2 / 3)
    assert found.excess_usd == pytest.approx(115 - 115 * (0.3 + 0.7 / 3))
    # No slice's cost stands out; the requests that are missing are those of one tenant.
    driver = found.driver
    assert driver is not None
    assert (driver.dimension, driver.value, driver.in_requests) == ("tenant", "shop", True)
    assert driver.share == pytest.approx(1.0)
    assert driver.by_unit_cost_usd is None


def test_what_stood_idle_can_be_the_driver() -> None:
    direct, idle = usual(40), [60.0] * DAYS
    direct[50], idle[50] = direct[50] / 2, 60.0 + direct[50] / 2
    requests = [1_000 * value for value in direct]
    whole = Use([a + b for a, b in zip(direct, idle, strict=True)], requests)
    parts: Slices = {"machine time": {"used": Use(direct, requests), "idle": Use(idle)}}
    [found] = find_anomalies(MONDAY, whole, parts).found
    assert found.measure is Measure.UNIT_COST
    assert found.driver is not None
    assert (found.driver.value, found.driver.in_requests) == ("idle", False)
    assert found.driver.by_requests_usd is None


def test_the_cost_of_a_few_requests_is_a_matter_of_chance(service: Service) -> None:
    for day in (50, 51):
        for key in service.usd:
            service.requests[key][day] = 99 / 6
    assert service.anomalies().found == ()


def test_a_shift_is_one_anomaly_that_says_it_stays(service: Service) -> None:
    for day in range(40, DAYS):
        service.scale(day, 3.0, ("large", "shop"), ("large", "search"))
    found = service.only()
    assert (found.day, found.last_day, found.stays) == (
        MONDAY + timedelta(40),
        MONDAY + timedelta(42),
        True,
    )


def test_after_a_shift_drivers_are_measured_against_the_new_usual(service: Service) -> None:
    service.usd["newest", "shop"] = [0.0] * 40 + usual(80)[40:]
    service.requests["newest", "shop"] = [0.0] * 40 + [5_000.0] * (DAYS - 40)
    service.usd["newest", "shop"][50] = 0.0
    gone, came = service.anomalies().found
    assert (came.day, came.stays) == (MONDAY + timedelta(40), True)
    assert gone.day == MONDAY + timedelta(50)
    assert gone.cost_change == pytest.approx(gone.actual / gone.usual.value - 1)
    for found in (came, gone):
        assert found.driver is not None
        assert found.driver.value == "newest"


def test_a_running_day_is_told_as_running(service: Service) -> None:
    service.scale(DAYS - 1, 0.1, *service.usd)
    assert service.anomalies(running=True).found == ()
    service.scale(DAYS - 1, 100.0, ("large", "shop"))
    [found] = service.anomalies(running=True).found
    assert found.running
    assert found.driver is not None
    assert found.driver.value == "large"


def test_days_not_known_and_no_days_at_all_are_no_anomaly(service: Service) -> None:
    assert find_anomalies(MONDAY, Use([], []), {}).found == ()
    gap: list[float | None] = [*usual(100, 40), None, None, *usual(100, 60)[42:]]
    assert find_anomalies(MONDAY, Use(gap, [1000.0] * 60), {"model": {}}).found == ()


def test_the_only_region_is_never_blamed_also_after_weeks_of_nothing() -> None:
    # What is usual is nothing then, in the whole and in each of its parts.
    values = usual(100)
    values[30:50] = [0.0] * 20
    # And where it was learnt from other days, its part of the excess is not quite all of it.
    cut = [None, *values[1:7], *(0.999 * value for value in values[7:])]
    for days in (values, cut):
        slices: Slices = {"region": {"us-east-1": Use(days)}}
        found = find_anomalies(MONDAY, Use(values), slices).found
        assert [(one.day, one.driver) for one in found] == [
            (MONDAY + timedelta(50), None),
            (MONDAY + timedelta(30), None),
        ]
    two: Slices = {"region": {"us-east-1": Use(cut), "eu-west-1": Use([1e-6] * DAYS)}}
    assert find_anomalies(MONDAY, Use(values), two).found[1].driver is None


def test_what_came_for_a_day_is_no_driver_of_a_drop_days_later(service: Service) -> None:
    service.usd["newest", "shop"] = [0.0] * DAYS
    service.requests["newest", "shop"] = [0.0] * DAYS
    service.usd["newest", "shop"][45] = 400.0
    service.requests["newest", "shop"][45] = 5_000.0
    service.scale(49, 0.0, ("large", "shop"), ("large", "search"))
    drop, _ = service.anomalies().found
    assert drop.day == MONDAY + timedelta(49)
    assert drop.driver is not None
    assert drop.driver.value == "large"
    assert drop.driver.share == pytest.approx(1.0)


def test_of_days_that_slices_do_not_have_there_is_no_driver(service: Service) -> None:
    service.scale(30, 3.0, ("small", "shop"), ("small", "search"))
    service.scale(55, 3.0, ("small", "shop"), ("small", "search"))
    small = service._sum([("small", "shop"), ("small", "search")])
    whole = service._sum(list(service.usd))
    large = service._sum([key for key in service.usd if key[0] != "small"])
    # The last 28 days alone, as many as it takes to know the usual.
    slices: Slices = {
        "model": {
            name: Use(use.usd[-28:], None if use.requests is None else use.requests[-28:])
            for name, use in (("small", small), ("others", large))
        }
    }
    newest, oldest = find_anomalies(MONDAY, whole, slices).found
    assert (newest.day, oldest.day) == (MONDAY + timedelta(55), MONDAY + timedelta(30))
    assert newest.driver is not None
    assert newest.driver.value == "small"
    # Two times 30 more, times the factor of the weekday.
    assert newest.driver.excess_usd == pytest.approx(60 * WEEK[55 % 7])
    assert newest.driver.by_requests_usd == pytest.approx(60 * WEEK[55 % 7])
    assert oldest.driver is None


def test_the_newest_comes_first(service: Service) -> None:
    service.scale(35, 2.0, ("large", "shop"))
    service.scale(50, 2.0, ("large", "shop"))
    assert [one.day for one in service.anomalies().found] == [
        MONDAY + timedelta(50),
        MONDAY + timedelta(35),
    ]
