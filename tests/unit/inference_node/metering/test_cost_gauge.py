"""What requests cost, to the last tick: price x time, shared by those that used it."""

import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import TICKS_PER_USD, Catalogue, Price
from inference_node.metering.cost_gauge import PRICE_FOLDER, CostGauge, read_prices
from inference_node.metering.tally import Tally
from tests.fixtures_usage import MINUTE_US, MONDAY_US, SECOND_US, node_sample, usage_record
from tests.unit.inference_node.metering.full_node import MACHINE, MICRO_USD_PER_HOUR, PRICES

PER_MINUTE_USD = MICRO_USD_PER_HOUR / 1e6 / 60


class Priced:
    """A gauge with its tally, sampled every second from Monday on."""

    def __init__(self, prices: Catalogue = PRICES) -> None:
        self.tally = Tally()
        self.gauge = CostGauge(prices, self.tally)
        self.at_us = MONDAY_US

    def seconds(self, count: int, **fields: object) -> None:
        for _ in range(count):
            self.at_us += SECOND_US
            self.gauge.sample(node_sample(sampled_at_us=self.at_us, **fields))

    def values(self, name: str) -> dict[str, float]:
        """Return the samples called `name` by model version."""
        return {
            sample.labels.get("version", ""): sample.value
            for family in self.gauge.collect()
            for sample in family.samples
            if sample.name == name
        }

    @property
    def per_request(self) -> dict[str, float]:
        return self.values("inference_cost_per_request")


def test_the_last_full_minute_is_shared_by_its_successful_requests() -> None:
    priced = Priced()
    priced.tally.fold([usage_record(compute_us=1_000), usage_record(compute_us=3_000)])
    priced.seconds(60)
    assert priced.per_request == {}, "the minute is not over before the next one begins"
    priced.seconds(1)
    assert priced.per_request == {"1": pytest.approx(PER_MINUTE_USD / 2, rel=1e-12)}
    priced.seconds(60)
    assert priced.per_request == {}, "nobody asked in this one"


def test_a_minute_in_which_the_node_started_is_not_full() -> None:
    priced = Priced()
    priced.at_us += 30 * SECOND_US
    priced.tally.fold([usage_record()])
    priced.seconds(31)
    assert priced.per_request == {}
    priced.tally.fold([usage_record()])
    priced.seconds(60)
    assert priced.per_request == {"1": pytest.approx(PER_MINUTE_USD, rel=1e-12)}


def test_versions_share_idle_cost_by_what_they_used() -> None:
    priced = Priced()
    priced.tally.fold(
        [
            usage_record(compute_us=30_000),
            usage_record(model_version="2", compute_us=20_000, batch_size=2, items=2),
            usage_record(model_version="2", compute_us=20_000, batch_size=2, items=1, status=500),
        ]
    )
    priced.seconds(61)
    assert priced.per_request == {
        "1": pytest.approx(PER_MINUTE_USD / 2, rel=1e-12),
        "2": pytest.approx(PER_MINUTE_USD / 2, rel=1e-12),
    }


def test_answers_from_a_cache_alone_use_nothing_and_idle_cost_stands_apart() -> None:
    priced = Priced()
    priced.tally.fold([usage_record(cache="memory", batch_size=0, compute_us=0)])
    priced.seconds(61)
    assert priced.per_request == {"1": 0}


def test_a_shadow_costs_and_is_no_request() -> None:
    priced = Priced()
    priced.tally.fold([usage_record(), usage_record(model_version="2", route="shadow")])
    priced.seconds(61)
    assert priced.per_request == {"1": pytest.approx(PER_MINUTE_USD / 2, rel=1e-12)}
    assert set(priced.values("inference_direct_cost_usd_total")) == {"1", "2"}


def test_a_worker_owns_its_share_of_the_machine() -> None:
    priced = Priced()
    priced.tally.fold([usage_record(compute_us=500_000)])
    priced.seconds(1, workers_ready=4)
    per_second = MICRO_USD_PER_HOUR / 1e6 / 3600
    [direct] = priced.values("inference_direct_cost_usd_total").values()
    assert direct == pytest.approx(per_second / 4 / 2, rel=1e-12)
    [machine] = priced.values("inference_machine_cost_usd_total").values()
    assert machine == pytest.approx(per_second, rel=1e-12)


def test_what_executed_before_all_sessions_were_unloaded_is_priced() -> None:
    priced = Priced()
    priced.tally.fold([usage_record(compute_us=500_000)])
    priced.seconds(1, workers_ready=0)
    assert priced.values("inference_direct_cost_usd_total")["1"] > 0


@given(
    st.lists(st.tuples(st.integers(1, 900_000), st.integers(1, 4), st.integers(4, 9)), min_size=1),
    st.integers(1, 16),
)
def test_requests_of_a_minute_together_cost_what_the_machine_costs(
    executed: list[tuple[int, int, int]], workers: int
) -> None:
    priced = Priced()
    for number, (compute_us, items, batch_size) in enumerate(executed):
        version = "12"[number % 2]
        record = usage_record(
            model_version=version, compute_us=compute_us, items=items, batch_size=batch_size
        )
        priced.tally.fold([record])
    priced.gauge.sample(
        node_sample(
            sampled_at_us=MONDAY_US + MINUTE_US, interval_us=MINUTE_US, workers_ready=workers
        )
    )
    priced.at_us += MINUTE_US
    priced.seconds(1)
    counts = {"1": (len(executed) + 1) // 2, "2": len(executed) // 2}
    exact = sum(
        priced.gauge._per_request["digits", version] * count
        for version, count in counts.items()
        if count
    )
    assert exact == MICRO_USD_PER_HOUR * MINUTE_US
    assert Fraction(exact, TICKS_PER_USD) == Fraction(MICRO_USD_PER_HOUR, 60_000_000)


def test_a_new_price_holds_from_its_instant_on() -> None:
    dearer = Price(MACHINE, 2 * MICRO_USD_PER_HOUR, MONDAY_US + 2 * SECOND_US, "2025-11-03", "x")
    cheaper = Price(MACHINE, MICRO_USD_PER_HOUR, None, "2025-04-04", "x")
    priced = Priced(Catalogue([cheaper, dearer]))
    priced.seconds(3)
    [machine] = priced.values("inference_machine_cost_usd_total").values()
    assert machine == pytest.approx(5 * MICRO_USD_PER_HOUR / 1e6 / 3600, rel=1e-12)


def test_a_machine_without_a_price_is_said_once_and_shows_no_cost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    priced = Priced(Catalogue([]))
    priced.tally.fold([usage_record()])
    priced.seconds(61)
    assert list(priced.gauge.collect()) == []
    [message] = caplog.messages
    assert "no price for aws c7i.xlarge in us-east-1, on-demand" in message


def test_the_shipped_prices_are_read(caplog: pytest.LogCaptureFixture) -> None:
    assert read_prices(PRICE_FOLDER).at(MACHINE, MONDAY_US).micro_usd_per_hour > 0
    assert caplog.messages == []


def test_a_negotiated_price_counts_for_the_node_too(tmp_path: Path) -> None:
    shutil.copy(PRICE_FOLDER / "instances.csv", tmp_path)
    (tmp_path / "prices.toml").write_text(
        '[[discount]]\nname = "half"\npercent = 50\n', encoding="utf-8"
    )
    listed = read_prices(PRICE_FOLDER).at(MACHINE, MONDAY_US).micro_usd_per_hour
    assert read_prices(tmp_path).at(MACHINE, MONDAY_US).micro_usd_per_hour == listed / 2


@pytest.mark.parametrize("content", [None, b"", b"cloud,nonsense\n", b"\xff\xfe\x00", b"\x00"])
def test_a_node_without_readable_prices_serves_and_says_so(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "instances.csv"
    if content is not None:
        path.write_bytes(content)
    assert len(read_prices(tmp_path)) == 0
    [message] = caplog.messages
    assert "the node does not show what requests cost" in message
