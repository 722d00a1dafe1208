import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import PRIORITIES, Workload, WorkloadError, read_workload, write_workload
from simulator.workload import LARGEST_ITEMS, LARGEST_KEY, LONGEST_TENANT, is_tenant

ROWS = st.lists(
    st.tuples(
        st.floats(0, allow_nan=False, allow_infinity=False),
        st.integers(0, LARGEST_KEY),
        st.integers(1, LARGEST_ITEMS),
        st.sampled_from(PRIORITIES),
        st.text(min_size=1, max_size=LONGEST_TENANT).filter(is_tenant),
    )
)


def as_csv(workload: Workload) -> str:
    stream = io.StringIO()
    write_workload(workload, stream)
    return stream.getvalue()


@given(ROWS)
def test_a_workload_written_and_read_back_is_the_same(
    rows: list[tuple[float, int, int, str, str]],
) -> None:
    workload = Workload.of(
        np.array([row[0] for row in rows], np.float64),
        key=np.array([row[1] for row in rows], np.int64),
        items=np.array([row[2] for row in rows], np.int64),
        priority=np.array([row[3] for row in rows], np.str_),
        tenant=np.array([row[4] for row in rows], np.str_),
    )
    text = as_csv(workload)

    assert read_workload(io.StringIO(text)) == workload
    assert read_workload(text.encode()) == workload


@given(st.binary() | st.text().map(lambda text: f"arrived_at_s,tenant\n{text}".encode()))
def test_whatever_is_read_is_a_workload_or_a_workload_error(raw: bytes) -> None:
    try:
        workload = read_workload(raw)
    except WorkloadError as error:
        assert error.line is not None
    else:
        assert read_workload(as_csv(workload).encode()) == workload


def test_a_small_time_is_written_without_an_exponent() -> None:
    assert as_csv(Workload.of([0.000001, 2.5])) == (
        "arrived_at_s,key,items,priority,tenant\n"
        "0.000001,0,1,normal,default\n"
        "2.5,1,1,normal,default\n"
    )


def test_arrivals_alone_are_a_workload() -> None:
    assert read_workload(b"arrived_at_s\n0.5\n1\n") == Workload.of([0.5, 1.0])


def test_columns_may_come_in_any_order_with_spaces_and_as_a_spreadsheet_saves_them() -> None:
    raw = "\ufefftenant, arrived_at_s ,priority\r\n lab , 1.5 , high\r\n\r\nshop,2e0,batch\r\n"
    expected = Workload.of([1.5, 2.0], tenant=["lab", "shop"], priority=["high", "batch"])

    assert read_workload(raw.encode()) == expected
    assert read_workload(io.StringIO(raw, newline="")) == expected


def test_lines_out_of_order_are_sorted_and_equal_times_keep_the_order_of_the_file() -> None:
    workload = read_workload(b"arrived_at_s,key\n2,0\n1,1\n2,2\n0.5,3\n")

    assert workload.arrived_at_s.tolist() == [0.5, 1.0, 2.0, 2.0]
    assert workload.key.tolist() == [3, 1, 0, 2]


@pytest.mark.parametrize(
    ("raw", "line", "field", "value"),
    [
        (b"", 1, "header", "''"),
        (b"time\n1\n", 1, "column", "'time'"),
        (b"arrived_at_s,key,key\n1,1,1\n", 1, "column", "'key'"),
        (b"key\n1\n", 1, "header", "'key'"),
        (b"arrived_at_s\n1\nsoon\n", 3, "arrived_at_s", "'soon'"),
        (b"arrived_at_s\n-1\n", 2, "arrived_at_s", "'-1'"),
        (b"arrived_at_s\nnan\n", 2, "arrived_at_s", "'nan'"),
        (b"arrived_at_s\ninf\n", 2, "arrived_at_s", "'inf'"),
        (b"arrived_at_s\n1e999\n", 2, "arrived_at_s", "'1e999'"),
        (b"arrived_at_s\n1_0\n", 2, "arrived_at_s", "'1_0'"),
        (b"arrived_at_s,key\n1,\n", 2, "key", "''"),
        (b"arrived_at_s,key\n1,-1\n", 2, "key", "'-1'"),
        (b"arrived_at_s,key\n1,1.5\n", 2, "key", "'1.5'"),
        (b"arrived_at_s,key\n1,9223372036854775808\n", 2, "key", "'9223372036854775808'"),
        (b"arrived_at_s,items\n1,0\n", 2, "items", "'0'"),
        (b"arrived_at_s,priority\n1,urgent\n", 2, "priority", "'urgent'"),
        (b"arrived_at_s,tenant\n1,\n", 2, "tenant", "''"),
        (b'arrived_at_s,tenant\n1,"a\nb"\n', 3, "tenant", r"'a\nb'"),
        (b"arrived_at_s,tenant\n1,a\0\n", 2, "tenant", r"'a\x00'"),
        (b"arrived_at_s,key\n\n1,1\n2\n", 4, "row", "'2'"),
        (b"arrived_at_s,key\n1,1,1\n", 2, "row", "'1,1,1'"),
        (b'arrived_at_s\n1\n"2\n', 3, "text", "unexpected end of data"),
        (b"arrived_at_s\n1\n\xff\n", 3, "text", r"b'\xff'"),
    ],
)
def test_an_error_names_line_field_value_and_what_is_accepted(
    raw: bytes, line: int, field: str, value: str
) -> None:
    with pytest.raises(WorkloadError) as raised:
        read_workload(raw)

    message = str(raised.value)
    assert (raised.value.line, raised.value.field) == (line, field)
    assert message.startswith(f"line {line}: {field} is ")
    assert value in message
    assert "; accepted: " in message
