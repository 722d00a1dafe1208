"""A line with JSON tensors means the same with binary ones."""

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_node.line_converter import LENGTH, binary_request, convert_all
from inference_node.models.session import TensorSpec
from inference_node.protocol.prepared import read_infer
from inference_node.protocol.signature import Signature

SIGNATURE = Signature(
    "m",
    "1",
    [TensorSpec("x", "FP32", (-1, -1)), TensorSpec("n", "INT64", (-1,))],
    [TensorSpec("y", "FP32", (-1,))],
)


def line_of(x: Any, n: Any, **more: Any) -> bytes:
    rows = np.shape(x)
    inputs = [
        {"name": "x", "shape": list(rows), "datatype": "FP32", "data": x},
        {"name": "n", "shape": [len(n)], "datatype": "INT64", "data": n},
    ]
    return json.dumps({"inputs": inputs, **more}).encode()


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(floats, min_size=width, max_size=width), min_size=1)
    ),
    st.one_of(st.none(), st.text()),
)
def test_a_converted_line_is_read_as_the_line_itself(
    x: list[list[float]], name: str | None
) -> None:
    more: dict[str, Any] = {"parameters": {"timeout": 7, "else": "x"}, "outputs": [{"name": "y"}]}
    if name is not None:
        more["id"] = name
    line = line_of(x, list(range(len(x))), **more)
    converted = binary_request(line)
    assert converted is not None
    plain, tensors = read_infer(line, None, SIGNATURE)
    binary, same = read_infer(*converted, SIGNATURE)
    assert {name: tensor.tolist() for name, tensor in tensors.items()} == {
        name: tensor.tolist() for name, tensor in same.items()
    }
    assert (plain.request.id, plain.request.timeout_us) == (binary.request.id, 7)
    assert plain.names == binary.names
    assert plain.seed == binary.seed


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[1]",
        b"\xff",
        b"[" * 5000,
        b'{"inputs": [{"name": "x"}]}',
        line_of([[1.0, 2.0]], [1]).replace(b"2.0", b'"2"'),
        line_of([[1.0, 2.0]], [1]).replace(b"2.0", b"1e999"),
        line_of([[1.0, 2.0]], [1]).replace(b"[1, 2]", b"[1, 3]"),
        line_of([[1.0, 2.0]], [1]).replace(b"[1, 2]", b"[-1, -2]"),
        line_of([[1.0, 2.0]], [1]).replace(b"[1, 2]", b"[9000000000000, 9000000000000]"),
        line_of([[1.0, 2.0]], [1]).replace(b"FP32", b"FP31"),
        line_of([[1.0, 2.0]], [1]).replace(b"FP32", b"BYTES"),
        line_of([[1.0]], [1]).replace(
            b'"shape"', b'"parameters": {"binary_data_size": 4}, "shape"'
        ),
    ],
    ids=lambda line: repr(line)[:60],
)
def test_what_is_unusual_is_left_to_who_answers_it(line: bytes) -> None:
    assert binary_request(line) is None


def test_every_frame_is_answered_in_its_order_until_they_end() -> None:
    lines = [line_of([[1.5]], [3]), b"garbage", b"", line_of([[2.5]], [4])]
    source = io.BytesIO(b"".join(LENGTH.pack(len(line)) + line for line in lines) + b"\x01")
    sink = io.BytesIO()
    convert_all(source, sink)
    answers = []
    sink.seek(0)
    while size := sink.read(LENGTH.size):
        answers.append(sink.read(*LENGTH.unpack(size)))
    assert [bool(answer) for answer in answers] == [True, False, False, True]
    for answer, value in ((answers[0], 1.5), (answers[3], 2.5)):
        (json_length,) = LENGTH.unpack_from(answer)
        _, tensors = read_infer(answer[LENGTH.size :], json_length, SIGNATURE)
        assert tensors["x"].tolist() == [[value]]
