"""The nine tiles: right figures, honest gaps, promises kept and missed."""

import dataclasses
from collections import Counter
from fractions import Fraction

from costs import TICKS_PER_USD, Cost, Machine, Price
from dashboard.headline import Headline
from dashboard.slice_headline import SliceHeadline
from reports import Fleet, LatencyTargets, Overview, Targets
from reports.change import Verdict
from reports.figures import Facts, figures
from reports.formatting import DASH
from reports.tile import Tile
from store import MINUTE_US, Filter, Period, StoreState
from tests.fixtures_usage import MONDAY_US

MACHINE = Machine("aws", "us-east-1", "c7i.xlarge", "on_demand")
PRICED = Fleet(MACHINE, Price(MACHINE, 178_500, None, "today", "a list"), 1)
TARGETS = Targets(LatencyTargets(p50=10, p95=40, p99=80))
COVERED_US = 10 * MINUTE_US

FACTS = Facts(
    covered_us=COVERED_US,
    requests=6_000,
    failures=60,
    # Bucket 460 is about 9 ms, 560 about 65 ms, 580 about 97 ms.
    latency=Counter({460: 5_500, 560: 300, 580: 140}),
    capacity_us=COVERED_US,
    busy_us=COVERED_US // 4,
    cost=Cost(TICKS_PER_USD // 10, Fraction(TICKS_PER_USD, 40)),
)
DEARER = dataclasses.replace(FACTS, cost=Cost(TICKS_PER_USD // 5, Fraction(TICKS_PER_USD, 20)))


def overview(*, before: Facts | None = None, fleets: tuple[Fleet, ...] = (PRICED,)) -> Overview:
    end_us = MONDAY_US + COVERED_US
    return Overview(
        state=StoreState(1, end_us, 6_000, 0, MONDAY_US, end_us, end_us),
        period=Period(MONDAY_US, MONDAY_US + 15 * MINUTE_US),
        stale_us=0,
        spend_now_usd_per_hour=0.6,
        current=figures([FACTS]),
        previous=None if before is None else figures([before]),
        steps=[],
        fleets=list(fleets),
        unmeasured_requests=0,
        dropped=[],
    )


def tiles(shown: Overview) -> dict[str, Tile]:
    rows = Headline(shown, TARGETS, MINUTE_US).rows()
    return {tile.key: tile for row in rows for tile in row}


def test_nine_tiles_stand_in_reading_order() -> None:
    assert list(tiles(overview())) == [
        "spend",
        "unit-cost",
        "request-rate",
        "error-rate",
        "latency-p50",
        "latency-p95",
        "latency-p99",
        "utilization",
        "idle-share",
    ]


def test_each_tile_shows_its_figure() -> None:
    assert {key: tile.value for key, tile in tiles(overview()).items()} == {
        "spend": "0.6000",
        "unit-cost": "0.0168",
        "request-rate": "10.0",
        "latency-p50": "8.95",
        "latency-p95": "64.8",
        "latency-p99": "96.3",
        "utilization": "25.0%",
        "idle-share": "75.0%",
        "error-rate": "1.00%",
    }


def test_every_tile_has_a_definition_of_one_sentence() -> None:
    assert all(tile.definition.count(".") <= 1 for tile in tiles(overview()).values())


def test_each_quantile_is_held_to_its_own_target() -> None:
    found = tiles(overview())
    kept = [found[f"latency-{name}"].details[0].kept for name in ("p50", "p95", "p99")]
    assert kept == [True, False, False]


def test_changes_are_judged_by_what_is_good_for_the_reader() -> None:
    found = tiles(overview(before=DEARER))
    assert found["spend"].change.verdict is Verdict.BETTER
    assert found["unit-cost"].change.verdict is Verdict.BETTER
    assert found["request-rate"].change.verdict is Verdict.NEUTRAL


def test_a_first_window_has_nothing_to_be_compared_with() -> None:
    assert tiles(overview())["spend"].change.amount == "nothing to compare with"


def test_a_machine_without_a_price_costs_an_unknown_amount_not_nothing() -> None:
    found = tiles(overview(fleets=(Fleet(MACHINE, None, 1),)))
    for key in ("spend", "unit-cost", "idle-share"):
        assert found[key].value == DASH
    assert found["utilization"].value == "25.0%"


def test_the_highest_step_is_never_below_the_window_that_it_is_of() -> None:
    # One whole minute that was quiet, and a few seconds, too few to draw, that were not.
    quiet = dataclasses.replace(FACTS, busy_us=COVERED_US // 100, latency=Counter({460: 100}))
    shown = dataclasses.replace(overview(), steps=[(MONDAY_US, figures([quiet]))])
    found = tiles(shown)
    assert ("highest 1 min", "25.0%") in [(d.name, d.text) for d in found["utilization"].details]
    assert ("highest 1 min", "96.3 ms") in [(d.name, d.text) for d in found["latency-p99"].details]


def test_a_slice_is_told_by_what_it_used_and_not_by_what_stood_idle() -> None:
    part = dataclasses.replace(FACTS, others=Fraction(TICKS_PER_USD, 80))
    shown = dataclasses.replace(
        overview(), current=figures([part], sliced=True), where=Filter(tenant=("shop",))
    )
    rows = SliceHeadline(shown, TARGETS, MINUTE_US).rows()
    found = {tile.key: tile for row in rows for tile in row}
    # Half of the direct cost of 0.025 USD in ten minutes is theirs.
    assert found["own-spend"].value == "0.0750"
    assert found["own-unit-cost"].value == "0.00210"
    assert {d.name: d.text for d in found["own-spend"].details} == {
        "machines, all requests": "0.6000 USD/h",
        "share of that": "12.5%",
    }
    assert found["idle-share"].value == "75.0%"
    assert found["utilization"].label == "Utilisation, all requests"
    assert len(found) == 9


def test_a_slice_on_machines_without_a_price_costs_an_unknown_amount() -> None:
    shown = dataclasses.replace(
        overview(fleets=(Fleet(MACHINE, None, 1),)), where=Filter(tenant=("shop",))
    )
    rows = SliceHeadline(shown, TARGETS, MINUTE_US).rows()
    assert [tile.value for tile in rows[0][:2]] == [DASH, DASH]
