"""Raw samples are taken exactly, and nonsense is told from them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.prometheus.errors import PrometheusError
from collectors.prometheus.series import Series, read_series


def parsed(text: str) -> list[Series]:
    return read_series(json.loads(text, parse_float=Decimal))


@given(st.integers(946_684_800_000, 4_102_444_800_000))
def test_timestamps_are_exact_to_the_millisecond(at_ms: int) -> None:
    seconds, rest = divmod(at_ms, 1000)
    text = f"{seconds}.{rest:03}".rstrip("0").rstrip(".") if rest else str(seconds)
    [series] = parsed(f'[{{"metric": {{}}, "values": [[{text}, "1"]]}}]')
    assert series.times_us == [at_ms * 1000]


def test_the_timestamp_that_a_float_rounds_is_exact() -> None:
    [series] = parsed('[{"metric": {}, "values": [[1731234567.781, "1"]]}]')
    assert series.times_us == [1731234567781 * 1000]


def test_values_are_exact_and_what_is_no_number_is_none() -> None:
    [series] = parsed(
        '[{"metric": {"__name__": "x", "job": "a"}, "values": [[1, "0.1"], [2, "NaN"], '
        '[3, "+Inf"], [4, "-Inf"], [5, "9007199254740993"], [6, "1e+06"], [7, "1e300"]]}]'
    )
    assert (series.name, series.labels) == ("x", {"job": "a"})
    large = Decimal("9007199254740993")
    assert series.values == [Decimal("0.1"), None, None, None, large, Decimal("1e6"), None]


def test_samples_are_in_order_and_once_each() -> None:
    [series] = parsed('[{"metric": {}, "values": [[2, "5"], [1, "4"], [2, "6"]]}]')
    assert series.times_us == [1_000_000, 2_000_000]
    assert series.values == [Decimal(4), Decimal(6)]


def test_nothing_is_no_nonsense() -> None:
    assert parsed("[]") == []
    [series] = parsed('[{"metric": {}, "histograms": [[1, {}]]}]')
    assert series.times_us == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "null",
        "[1]",
        '[{"values": []}]',
        '[{"metric": {}, "values": 1}]',
        '[{"metric": {}, "values": [1]}]',
        '[{"metric": {}, "values": [[1, 2]]}]',
        '[{"metric": {}, "values": [["1", "2"]]}]',
        '[{"metric": {}, "values": [[true, "2"]]}]',
        '[{"metric": {}, "values": [[NaN, "2"]]}]',
        '[{"metric": {}, "values": [[1e999999999, "2"]]}]',
        '[{"metric": {}, "values": [[1, "two"]]}]',
        '[{"metric": {}, "values": [[1, "2", "3"]]}]',
    ],
)
def test_nonsense_is_called_that(text: str) -> None:
    with pytest.raises(PrometheusError, match="accepted: "):
        parsed(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["metric", "values", "x"]), inner, max_size=3)
    ),
    max_leaves=15,
)


@given(json_values)
def test_nothing_but_nonsense_can_come_of_an_answer(answer: Any) -> None:
    try:
        found = read_series(answer)
    except PrometheusError:
        return
    assert all(len(series.times_us) == len(series.values) for series in found)
