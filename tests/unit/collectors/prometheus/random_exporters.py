"""Exporters of any preset that behave at random: series come and go, resets, gaps, garbage."""

import random
from collections.abc import Iterator
from decimal import Decimal

from collectors.prometheus.preset import Counter, Gauge, Histogram, Labels, Meaning, Preset
from collectors.prometheus.series import Series, Value
from collectors.prometheus.target import START

SECOND_US = 1_000_000
BOUNDS = ("0.005", "0.1", "2.5", "+Inf")


def random_series(rng: random.Random, preset: Preset, begin_us: int, minutes: int) -> list[Series]:
    """Return what a server kept of one to three targets in `minutes` from `begin_us` on."""
    found = []
    for number in range(rng.randint(1, 3)):
        target = {"job": "j", "instance": f"host-{number % 2}:80{number}", "Hostname": "host-0"}
        if rng.random() < 0.5:
            del target["Hostname"]
        times = list(_times(rng, begin_us, minutes))
        if rng.random() < 0.5:
            found.append(Series(START, target, times, _starts(rng, times)))
        for metric, meanings in preset.by_metric().items():
            for labels in _labels(rng, meanings[0]):
                seen = [at_us for at_us in times if rng.random() > 0.02]
                first = rng.choice((0, 0, 0, len(seen) // 3))
                last = rng.choice((None, None, -len(seen) // 3 or None))
                seen = seen[first:last]
                counts = isinstance(meanings[0], Counter | Histogram)
                values = _counter(rng, len(seen)) if counts else _gauge(rng, len(seen))
                found.append(Series(metric, target | dict(labels), seen, values))
    return found


def _times(rng: random.Random, begin_us: int, minutes: int) -> Iterator[int]:
    period = rng.choice((4, 15, 40)) * SECOND_US
    # Before the beginning, so that there is something to look back at.
    before_us, at_us = 0, begin_us - 200 * SECOND_US + rng.randrange(period)
    while at_us < begin_us + minutes * 60 * SECOND_US:
        # Now and then right on a full minute.
        full_us = at_us // 60_000_000 * 60_000_000
        before_us = full_us if before_us < full_us and rng.random() < 0.2 else at_us // 1000 * 1000
        yield before_us
        gap_s = rng.choice((0,) * 40 + (100, 299, 400))
        at_us += period + gap_s * SECOND_US + rng.randrange(5_000)


def _starts(rng: random.Random, times: list[int]) -> list[Value]:
    started, values = Decimal(times[0]) / SECOND_US - rng.choice((3, 1000)), []
    for at_us in times:
        if rng.random() < 0.03:
            started = Decimal(at_us) / SECOND_US - 2
        values.append(started if rng.random() > 0.05 else None)
    return values


def _counter(rng: random.Random, count: int) -> list[Value]:
    value, values = Decimal(rng.choice((0, 10**6))), []
    step = rng.choice((Decimal(1), Decimal("0.001237")))
    for _ in range(count):
        value = Decimal(0) if rng.random() < 0.04 else value
        value += step * rng.choice((0, 0, 1, 7, 300))
        values.append(value if rng.random() > 0.04 else None)
    return [Decimal(-1) if rng.random() < 0.005 else value for value in values]


def _gauge(rng: random.Random, count: int) -> list[Value]:
    choices = [Decimal(0), Decimal(1), Decimal("0.25"), Decimal(3), Decimal(60), Decimal(10) ** 15]
    return [rng.choice([*choices, Decimal(-2), None]) for _ in range(count)]


def _labels(rng: random.Random, meaning: Meaning) -> list[Labels]:
    """Return the labels that a metric has besides those of its target."""
    own: list[Labels] = [{"namespace": "shop", "deployment": name} for name in ("bert", "resnet")]
    names = [
        {"model": name, "model_name": name, "version": "1", "configuration_name": name}
        | {"namespace_name": "shop", "revision_name": f"{name}-1"}
        for name in ("bert", "résumé")[: rng.randint(1, 2)]
    ]
    labels = [{**one, **other} for one, other in zip(names, own, strict=False)]
    outcomes: list[Labels] = [{}]
    if isinstance(meaning, Counter | Histogram) and meaning.outcome:
        outcomes = [{meaning.outcome.label: value} for value in ("200", "stop", "REJECTED", "503")]
    if isinstance(meaning, Counter) and meaning.where:
        outcomes = [{meaning.where[0]: value} for value in (*meaning.where[1], "other")]
    if isinstance(meaning, Counter) and meaning.metric == "node_cpu_seconds_total":
        outcomes = [{"mode": mode, "cpu": cpu} for mode in ("idle", "user") for cpu in "01"]
    if isinstance(meaning, Histogram):
        outcomes = [{**outcome, "le": le} for outcome in outcomes for le in BOUNDS]
    if isinstance(meaning, Gauge) and "GPU" in meaning.metric.upper():
        outcomes = [{"gpu": "0"}, {"gpu": "1"}]
    return [{**label, **outcome} for label in labels for outcome in outcomes]
