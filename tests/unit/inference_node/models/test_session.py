"""ONNX files as sessions: what they say of themselves, what they compute, how they fail."""

from pathlib import Path

import numpy as np
import pytest

from inference_node.errors import ExecutionError, StartError
from inference_node.models.session import Session, TensorSpec
from tests.unit.inference_node import onnx_models


def session_of(path: Path, content: bytes) -> Session:
    path.write_bytes(content)
    return Session(path, threads=1)


def test_inputs_and_outputs_are_described_in_the_protocols_terms(tmp_path: Path) -> None:
    session = session_of(tmp_path / "model.onnx", onnx_models.sum_and_product())
    assert session.inputs == [TensorSpec("a", "INT64", (-1,)), TensorSpec("b", "INT64", (-1,))]
    assert [spec.name for spec in session.outputs] == ["sum", "product"]


@pytest.mark.parametrize("datatype", list(onnx_models.ELEMENT_TYPES))
def test_every_datatype_loads_under_its_name(tmp_path: Path, datatype: str) -> None:
    session = session_of(tmp_path / "model.onnx", onnx_models.echo(datatype))
    assert session.inputs == [TensorSpec("x", datatype, (-1, 2))]
    assert session.outputs == [TensorSpec("y", datatype, (-1, 2))]


def test_outputs_come_in_the_order_asked_for(tmp_path: Path) -> None:
    session = session_of(tmp_path / "model.onnx", onnx_models.sum_and_product())
    inputs = {"a": np.array([2, 3], np.int64), "b": np.array([5, 7], np.int64)}
    product, total = session.run(inputs, ["product", "sum"])
    assert (product.tolist(), total.tolist()) == ([10, 21], [7, 10])


def test_a_model_that_fails_while_it_executes_says_why_in_one_short_line(tmp_path: Path) -> None:
    session = session_of(tmp_path / "model.onnx", onnx_models.fragile())
    with pytest.raises(ExecutionError) as failed:
        session.run({"x": np.array([9], np.int64)}, ["y"])
    message = str(failed.value)
    assert message.startswith("the model failed: ")
    assert "\n" not in message
    assert len(message) < 400


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x08\x12\x00" * 50])
def test_a_file_that_is_no_model_is_named_in_one_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StartError) as failed:
        session_of(tmp_path / "model.onnx", content)
    message = str(failed.value)
    assert message.startswith(f"{tmp_path / 'model.onnx'}: not a usable ONNX model")
    assert "\n" not in message


def test_half_a_model_is_no_model(tmp_path: Path) -> None:
    whole = onnx_models.doubling()
    with pytest.raises(StartError, match="not a usable ONNX model"):
        session_of(tmp_path / "model.onnx", whole[: len(whole) // 2])


def test_a_missing_file_is_named_with_the_systems_reason(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"model\.onnx: No such file or directory"):
        Session(tmp_path / "model.onnx", threads=1)


def test_the_file_may_be_replaced_while_the_session_lives(tmp_path: Path) -> None:
    session = session_of(tmp_path / "model.onnx", onnx_models.doubling())
    (tmp_path / "model.onnx").write_bytes(b"another")
    [output] = session.run({"x": np.ones((1, 3), np.float32)}, ["y"])
    assert output.tolist() == [[2.0, 2.0, 2.0]]
