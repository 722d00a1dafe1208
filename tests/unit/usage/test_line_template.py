"""A line from a template is the line that msgspec writes of the same record."""

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures_usage import usage_record
from usage import LineTemplate, UsageRecord, decode_line, encode_line
from usage.line_template import FORMATS

COUNT = st.integers(0, 2**48)
NAME = st.text(min_size=1, max_size=20)


@dataclass(frozen=True)
class Row:
    """What varies from record to record in these tests."""

    seq: int
    arrived_at_us: int
    total_us: int
    input_digest: int


ROWS = st.builds(
    Row,
    st.integers(1, 2**63 - 1),
    st.integers(946_684_800_000_000, 4_102_444_800_000_000),
    st.integers(0, 10 * 86_400_000_000),
    st.integers(0, 2**64 - 1),
)


def filled(example: UsageRecord, row: Row) -> UsageRecord:
    return msgspec.structs.replace(
        example,
        seq=row.seq,
        arrived_at_us=row.arrived_at_us,
        total_us=row.total_us,
        input_digest=f"{row.input_digest:016x}",
    )


@given(
    tenant=NAME,
    labels=st.dictionaries(NAME, st.text(max_size=20), max_size=8),
    model=st.none() | NAME,
    tokens=st.none() | COUNT,
    rows=st.lists(ROWS, max_size=5),
)
def test_lines_are_those_of_msgspec_whatever_people_name(
    tenant: str, labels: dict[str, str], model: str | None, tokens: int | None, rows: list[Row]
) -> None:
    example = usage_record(tenant=tenant, labels=labels, model=model, input_tokens=tokens)
    names = ("seq", "arrived_at_us", "total_us", "input_digest")
    columns = {name: [getattr(row, name) for row in rows] for name in names}

    lines = list(LineTemplate(example, names).lines(columns))

    assert [line.encode() for line in lines] == [encode_line(filled(example, row)) for row in rows]


def test_every_field_that_may_vary_is_filled_in() -> None:
    wanted = usage_record(
        worker=3, batch_id=7, input_tokens=11, output_tokens=12, input_digest="00000000000000ff"
    )
    columns = {name: [getattr(wanted, name)] for name in FORMATS} | {"input_digest": [255]}
    [line] = LineTemplate(usage_record(), FORMATS).lines(columns)
    assert decode_line(line.encode()) == wanted


def test_a_name_that_people_choose_cannot_vary() -> None:
    with pytest.raises(ValueError, match="tenant varies; accepted: record_id"):
        LineTemplate(usage_record(), ["tenant"])


def test_columns_of_different_lengths_are_refused() -> None:
    template = LineTemplate(usage_record(), ["seq", "total_us"])
    with pytest.raises(ValueError, match="shorter"):
        list(template.lines({"seq": [1, 2], "total_us": [5]}))
