"""What is accepted as a line of the spool, and how the rest is refused."""

import json
from typing import Any

import msgspec
import pytest

from tests.fixtures_usage import node_sample, usage_record
from usage import InvalidLineError, decode_line, encode_line


def test_a_record_and_a_sample_survive_the_way_through_a_line() -> None:
    for fact in (usage_record(labels={"team": "a", "project": "ö"}), node_sample()):
        line = encode_line(fact)
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        assert decode_line(line) == fact


def test_a_line_without_route_and_parent_is_that_of_a_direct_request() -> None:
    line = json.loads(encode_line(usage_record()))
    del line["route"], line["parent_id"]
    assert decode_line(json.dumps(line).encode()) == usage_record()


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("schema", 2, "schema"),
        ("kind", "invoice", "kind"),
        ("record_id", "not-a-uuid", "record_id"),
        ("seq", 0, "seq"),
        ("origin", "dream", "origin"),
        ("tenant", "", "tenant"),
        ("tenant", "x" * 129, "tenant"),
        ("labels", {str(i): "" for i in range(9)}, "labels"),
        ("priority", "urgent", "priority"),
        ("arrived_at_us", 1_700_000_000, "arrived_at_us"),
        ("arrived_at_us", 5_000_000_000_000_000, "arrived_at_us"),
        ("queue_us", -1, "queue_us"),
        ("compute_us", 1.5, "compute_us"),
        ("total_us", "12", "total_us"),
        ("input_digest", "XYZ", "input_digest"),
        ("items", 0, "items"),
        ("status", 99, "status"),
        ("route", "detour", "route"),
        ("parent_id", "not-a-uuid", "parent_id"),
        ("surprise", 1, "surprise"),
        ("batch_size", 0, "batch_size"),
        ("items", 2, "batch_size"),
    ],
)
def test_a_wrong_field_is_named_in_the_reason(field: str, value: Any, named: str) -> None:
    fields = {**json.loads(encode_line(usage_record())), field: value}
    with pytest.raises(InvalidLineError, match=named):
        decode_line(json.dumps(fields).encode())


@pytest.mark.parametrize("missing", ["record_id", "status", "error", "batch_size"])
def test_a_missing_field_is_named_in_the_reason(missing: str) -> None:
    fields = json.loads(encode_line(usage_record()))
    del fields[missing]
    with pytest.raises(InvalidLineError, match=missing):
        decode_line(json.dumps(fields).encode())


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"kind":"usage_record"}', b"NaN"],
)
def test_garbage_is_refused_with_a_reason(raw: bytes) -> None:
    with pytest.raises(InvalidLineError) as refused:
        decode_line(raw)
    assert str(refused.value)


def test_a_node_cannot_be_named_like_a_path() -> None:
    for name in ("..", "a/b", "", ".hidden", "x" * 65):
        fields = msgspec.to_builtins(node_sample()) | {"node_id": name}
        with pytest.raises(InvalidLineError, match="node_id"):
            decode_line(json.dumps(fields).encode())
