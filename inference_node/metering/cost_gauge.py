"""What requests cost, live: machine time priced as in `costs`, exact until it is exposed."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from costs import (
    TICKS_PER_USD,
    BusyTime,
    Catalogue,
    Cost,
    Machine,
    MachineTime,
    PriceFileError,
    PriceMissingError,
    Ticks,
    direct_cost,
    machine_cost,
)
from costs.price_folder import INSTANCES, MACHINE_FILES, parse_catalogue
from inference_node.metering.tally import Tally, Version
from usage import NodeSample

logger = logging.getLogger(__name__)

PRICE_FOLDER = Path(__file__).parents[2] / "data" / "prices"
MINUTE_US = 60_000_000


def read_prices(folder: Path) -> Catalogue:
    """Return the prices of machines in `folder`, the user's rules and commitments over the list.

    None where they cannot be read: a node serves without prices.
    """
    there = [path for name in MACHINE_FILES if (path := folder / name).exists()]
    # The list is read in any case: without it the others say nothing.
    paths = {folder / INSTANCES, *there}
    try:
        texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
        return parse_catalogue(texts, str(folder))
    except OSError as error:
        logger.warning("%s; the node does not show what requests cost", error)
    except (PriceFileError, UnicodeDecodeError) as error:
        logger.warning("%s: %s; the node does not show what requests cost", folder, error)
    return Catalogue([])


@dataclass
class _Minute:
    """What the samples that end in one minute of the clock add up to, in ticks."""

    number: int
    began_us: int
    machine: int = 0
    direct: dict[Version, Fraction] = field(default_factory=dict)
    succeeded: dict[Version, int] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        return self.began_us <= self.number * MINUTE_US

    def cost_per_request(self) -> dict[Version, Fraction]:
        """Return fully loaded cost / successful requests, in ticks.

        The failed requests and shadow executions of a version are part of what its successful
        ones cost. Where no request had direct cost, idle cost has nobody to share it and stands
        apart, as in `costs.Cost.loading`.
        """
        loading = Cost(self.machine, sum(self.direct.values(), Fraction(0))).loading
        return {
            version: self.direct.get(version, Fraction(0)) * loading / count
            for version, count in self.succeeded.items()
            if count
        }


class CostGauge(Collector):
    """Cost counters and the cost per request of the last full minute.

    A sample says how long the machine ran and how many workers shared it, the records counted
    since the sample before say what they owned of it.
    """

    def __init__(self, prices: Catalogue, tally: Tally) -> None:
        self._prices = prices
        self._tally = tally
        self._unpriced: Machine | None = None
        self._seen_item_us: dict[tuple[Version, int], int] = {}
        self._seen_succeeded: dict[Version, int] = {}
        self._machine: int | None = None
        self._direct: dict[Version, Fraction] = {}
        self._minute: _Minute | None = None
        self._per_request: dict[Version, Fraction] = {}

    def sample(self, sample: NodeSample) -> None:
        """Price the interval of `sample`, whose records are in the tally."""
        item_us, succeeded = self._since_last()
        machine = Machine(sample.cloud, sample.region, sample.instance_type, sample.purchase_option)
        try:
            price = self._prices.at(machine, sample.sampled_at_us)
        except PriceMissingError as error:
            if machine != self._unpriced:
                self._unpriced = machine
                logger.warning("%s; the node does not show what requests cost", error)
            return

        def rate(_: Machine, __: int) -> int:
            return price.micro_usd_per_hour

        at_us, up_us = sample.sampled_at_us, sample.interval_us
        # Sessions may have been unloaded since; whatever executed had at least one worker.
        capacity_us = up_us * max(1, sample.workers_ready)
        minute = self._minute_of(at_us, up_us)
        spent = machine_cost([MachineTime(machine, at_us, up_us)], rate)
        self._machine = (self._machine or 0) + spent
        minute.machine += spent
        for (version, batch_size), us in item_us.items():
            busy = BusyTime(machine, at_us, us, batch_size, up_us, capacity_us)
            ticks = direct_cost([busy], rate)
            for direct in (self._direct, minute.direct):
                direct[version] = direct.get(version, Fraction(0)) + ticks
        for version, count in succeeded.items():
            minute.succeeded[version] = minute.succeeded.get(version, 0) + count

    def collect(self) -> Iterator[Metric]:
        """Yield the families; none while no price is known."""
        if self._machine is None:
            return
        yield CounterMetricFamily(
            "inference_machine_cost_usd",
            "Price of the machine x time up, USD",
            value=_usd(self._machine),
        )
        direct = CounterMetricFamily(
            "inference_direct_cost_usd",
            "Price of the machine time that requests and executions owned, USD",
            labels=("model", "version"),
        )
        for version, ticks in self._direct.items():
            direct.add_metric(version, _usd(ticks))
        yield direct
        gauge = GaugeMetricFamily(
            "inference_cost_per_request",
            "Fully loaded machine cost of a successful request in the last full minute, USD",
            labels=("model", "version"),
        )
        for version, ticks in self._per_request.items():
            gauge.add_metric(version, _usd(ticks))
        yield gauge

    def _minute_of(self, at_us: int, up_us: int) -> _Minute:
        """Return the minute in which a sample ends; when it is a new one, close the last."""
        number = (at_us - 1) // MINUTE_US
        if self._minute is None or self._minute.number != number:
            if self._minute is not None and self._minute.is_full:
                self._per_request = self._minute.cost_per_request()
            self._minute = _Minute(number, at_us - up_us)
        return self._minute

    def _since_last(self) -> tuple[dict[tuple[Version, int], int], dict[Version, int]]:
        """Return `item_us` by version and batch size, and successes, since the last call."""
        item_us: dict[tuple[Version, int], int] = {}
        succeeded: dict[Version, int] = {}
        for (group, batch_size), sums in self._tally.sums.items():
            if batch_size:
                key = group.of, batch_size
                item_us[key] = item_us.get(key, 0) + sums.item_us
            if group.succeeded:
                succeeded[group.of] = succeeded.get(group.of, 0) + sums.records
        seen_item_us, self._seen_item_us = self._seen_item_us, item_us
        seen_succeeded, self._seen_succeeded = self._seen_succeeded, succeeded
        return (
            {
                key: us - seen_item_us.get(key, 0)
                for key, us in item_us.items()
                if us > seen_item_us.get(key, 0)
            },
            {key: n - seen_succeeded.get(key, 0) for key, n in succeeded.items()},
        )


def _usd(ticks: Ticks) -> float:
    return float(Fraction(ticks, TICKS_PER_USD))
