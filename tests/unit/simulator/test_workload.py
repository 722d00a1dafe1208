import dataclasses

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import PRIORITIES, Workload, WorkloadError
from simulator.workload import LARGEST_KEY, LONGEST_TENANT, is_tenant
from usage.record import Name, Priority


def test_columns_left_out_take_their_defaults() -> None:
    workload = Workload.of([0.5, 1.5, 2.5])

    assert list(workload.rows()) == [
        (0.5, 0, 1, "normal", "default"),
        (1.5, 1, 1, "normal", "default"),
        (2.5, 2, 1, "normal", "default"),
    ]


@given(st.lists(st.sampled_from([0.0, 0.25, 1.0, 7.5])))
def test_requests_are_sorted_by_arrival_and_equal_instants_keep_their_order(
    instants: list[float],
) -> None:
    workload = Workload.of(np.array(instants, np.float64))

    pairs = list(zip(workload.arrived_at_s.tolist(), workload.key.tolist(), strict=True))
    assert pairs == sorted((instant, key) for key, instant in enumerate(instants))


def test_every_column_follows_its_request_when_sorted() -> None:
    workload = Workload.of(
        [2.0, 1.0], key=[20, 10], items=[2, 1], priority=["batch", "high"], tenant=["b", "a"]
    )

    assert list(workload.rows()) == [(1.0, 10, 1, "high", "a"), (2.0, 20, 2, "batch", "b")]


def test_a_workload_may_be_empty() -> None:
    assert len(Workload.of([])) == 0
    assert list(Workload.of([]).rows()) == []


def test_a_workload_cannot_be_changed_through_the_arrays_it_was_made_of() -> None:
    given_s = np.array([1.0, 2.0])
    workload = Workload.of(given_s)
    given_s[0] = 99.0

    assert workload.arrived_at_s.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        workload.arrived_at_s[0] = 99.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        workload.key = np.array([1, 2])  # type: ignore[misc] # what the test is about


def test_workloads_are_equal_by_content() -> None:
    assert Workload.of([1.0, 2.0]) == Workload.of([1.0, 2.0])
    assert Workload.of([1.0, 2.0]) != Workload.of([1.0, 2.5])
    assert Workload.of([1.0]) != Workload.of([1.0], tenant=["other"])
    assert Workload.of([1.0]) != "a workload"


@pytest.mark.parametrize(
    ("columns", "field", "value"),
    [
        ({"arrived_at_s": [0.0, -1.0]}, "arrived_at_s[1]", "-1.0"),
        ({"arrived_at_s": [0.0, float("nan")]}, "arrived_at_s[1]", "nan"),
        ({"arrived_at_s": [float("inf"), 0.0]}, "arrived_at_s[0]", "inf"),
        ({"arrived_at_s": ["soon", "later"]}, "arrived_at_s", "'soon'"),
        ({"arrived_at_s": [[0.0, 1.0]]}, "arrived_at_s", "shape [1, 2]"),
        ({"key": [0, -3]}, "key[1]", "-3"),
        ({"key": [0.5, 1.0]}, "key", "0.5"),
        ({"key": np.array([0, LARGEST_KEY + 1], np.uint64)}, "key[1]", str(LARGEST_KEY + 1)),
        ({"key": [1]}, "key", "1 values"),
        ({"items": [1, 0]}, "items[1]", "0"),
        ({"items": [1, 2**31]}, "items[1]", str(2**31)),
        ({"priority": ["high", "urgent"]}, "priority[1]", "'urgent'"),
        ({"tenant": ["shop", ""]}, "tenant[1]", "''"),
        ({"tenant": ["shop", " lab"]}, "tenant[1]", "' lab'"),
        ({"tenant": ["shop", "a\r\nb"]}, "tenant[1]", r"'a\r\nb'"),
        ({"tenant": ["shop", "x" * (LONGEST_TENANT + 1)]}, "tenant[1]", "xxx..."),
    ],
)
def test_a_value_outside_the_bounds_is_refused_by_name_and_value(
    columns: dict[str, object], field: str, value: str
) -> None:
    with pytest.raises(WorkloadError) as raised:
        Workload.of(**({"arrived_at_s": [0.0, 1.0]} | columns))  # type: ignore[arg-type]

    assert raised.value.field == field
    assert value in str(raised.value)
    assert "accepted: " in str(raised.value)


def test_a_workload_accepts_the_priorities_a_usage_record_does() -> None:
    assert tuple(msgspec.convert(name, Priority) for name in PRIORITIES) == PRIORITIES


@given(st.text(max_size=LONGEST_TENANT + 2))
def test_a_tenant_a_workload_accepts_fits_a_usage_record(name: str) -> None:
    if is_tenant(name):
        assert msgspec.convert(name, Name) == name
