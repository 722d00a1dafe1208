"""ONNX files as sessions: what they say of themselves, what they compute, how they fail."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from inference_node.cache.fingerprint import model_fingerprint
from inference_node.errors import ExecutionError, StartError
from inference_node.models import session as session_module
from inference_node.models.session import CUDA, PROBE, Session, TensorSpec, usable_device
from tests.unit.inference_node import onnx_models

without_gpu = pytest.mark.skipif(
    usable_device("auto") == "gpu", reason="this machine has a GPU that can be used"
)


def session_of(path: Path, content: bytes) -> Session:
    path.write_bytes(content)
    return Session(path, device="cpu", threads=1)


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


def failure_of(session: Session, values: object, dtype: type[np.generic]) -> str:
    with pytest.raises(ExecutionError) as failed:
        session.run({"x": np.array(values, dtype)}, ["y"])
    return str(failed.value)


@pytest.mark.parametrize(
    ("values", "dtype", "reason"),
    [
        ([[1, 2, 3, 4]], np.float32, "Got invalid dimensions for input: x for the following "
         "indices index: 1 Got: 4 Expected: 3"),
        ([1], np.float32, "Invalid rank for input: x Got: 1 Expected: 2"),
        ([[1, 2, 3]], np.float64, "Unexpected input data type. Actual: (tensor(double)) , "
         "expected: (tensor(float))"),
    ],
)  # fmt: skip
def test_an_input_of_a_wrong_shape_or_type_is_answered_with_what_is_wrong(
    tmp_path: Path, values: object, dtype: type[np.generic], reason: str
) -> None:
    session = session_of(tmp_path / "model.onnx", onnx_models.doubling())
    assert failure_of(session, values, dtype) == f"the model failed on this input: {reason}"


def test_what_the_runtime_says_of_its_own_insides_is_for_the_log_and_not_for_clients(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = session_of(tmp_path / "model.onnx", onnx_models.in_threes())
    with caplog.at_level("WARNING"):
        failures = {failure_of(session, [[1, 2, 3, 4]], np.float32) for _ in range(3)}
    assert failures == {"the model failed on this input"}
    [message] = caplog.messages
    assert message.startswith(f"{tmp_path / 'model.onnx'} failed while it was executed: ")
    assert "cannot be reshaped" in message
    assert "\n" not in message


def test_every_kind_of_failure_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = session_of(tmp_path / "model.onnx", onnx_models.fragile())
    with caplog.at_level("WARNING"):
        assert failure_of(session, [9], np.int64) == "the model failed on this input"
        assert failure_of(session, [10], np.int64) == "the model failed on this input"
        with pytest.raises(ExecutionError, match=r"^the model failed on this input$"):
            session.run({}, ["y"])
    assert len(caplog.messages) == 2


def test_the_probe_is_a_model_that_any_device_can_execute() -> None:
    onnx.checker.check_model(onnx.load_model_from_string(PROBE), full_check=True)
    assert ort.InferenceSession(PROBE).run(None, {"x": np.ones(1, np.float32)})[0].tolist() == [1]


@without_gpu
def test_a_gpu_that_is_not_there_is_refused_by_name_with_what_is_there() -> None:
    assert usable_device("cpu") == "cpu"
    assert usable_device("auto") == "cpu"
    with pytest.raises(StartError) as refused:
        usable_device("gpu")
    assert str(refused.value) == (
        f"device gpu cannot be used; ONNX Runtime offers {', '.join(ort.get_available_providers())}"
        "; required: the package onnxruntime-gpu in the place of onnxruntime, an NVIDIA GPU and "
        "its driver"
    )


@without_gpu
@pytest.mark.filterwarnings("ignore:Specified provider 'CUDAExecutionProvider':UserWarning")
def test_a_session_for_the_gpu_that_the_runtime_quietly_puts_on_the_cpu_is_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "model.onnx").write_bytes(onnx_models.doubling())
    with pytest.raises(StartError, match=r"model\.onnx: device gpu cannot be used"):
        Session(tmp_path / "model.onnx", device="gpu", threads=1)


@without_gpu
@pytest.mark.filterwarnings("ignore:Specified provider 'CUDAExecutionProvider':UserWarning")
def test_a_runtime_that_lists_cuda_but_cannot_use_it_has_no_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [CUDA, "CPUExecutionProvider"])
    assert usable_device("auto") == "cpu"
    with pytest.raises(StartError, match="device gpu cannot be used"):
        usable_device("gpu")


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
        Session(tmp_path / "model.onnx", device="cpu", threads=1)


def test_a_session_knows_of_which_file_it_is_made_also_when_that_is_replaced_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.onnx"
    factors = [2, 3, 4, 5, 6]

    def replaced(times: int) -> Session:
        """Open a file that is replaced after each of the first looks at it."""
        left = iter(factors[1 : times + 1])

        def look(path: Path) -> str:
            found = model_fingerprint(path)
            for factor in left:
                path.write_bytes(onnx_models.multiplying(factor))
                break
            return found

        monkeypatch.setattr(session_module, "model_fingerprint", look)
        return session_of(path, onnx_models.multiplying(factors[0]))

    for times in range(3):
        session = replaced(times)
        assert session.fingerprint == model_fingerprint(path)
        [output] = session.run({"x": np.ones((1, 3), np.float32)}, ["y"])
        assert output[0, 0] == factors[times]
    with pytest.raises(StartError, match=r"model\.onnx: changes while it is read"):
        replaced(4)


def test_the_file_may_be_replaced_while_the_session_lives(tmp_path: Path) -> None:
    session = session_of(tmp_path / "model.onnx", onnx_models.doubling())
    (tmp_path / "model.onnx").write_bytes(b"another")
    [output] = session.run({"x": np.ones((1, 3), np.float32)}, ["y"])
    assert output.tolist() == [[2.0, 2.0, 2.0]]
