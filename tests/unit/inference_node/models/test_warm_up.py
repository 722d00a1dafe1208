"""What is executed before the first request, and what becomes of a model that refuses it."""

from pathlib import Path

import pytest

from inference_node.models.config import ImageConfig
from inference_node.models.session import Session
from inference_node.models.warm_up import warm_up
from tests.unit.inference_node import onnx_models


def session_of(path: Path, content: bytes) -> Session:
    path.write_bytes(content)
    return Session(path, device="cpu", threads=1)


@pytest.mark.parametrize("datatype", list(onnx_models.ELEMENT_TYPES))
def test_every_datatype_is_executed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, datatype: str
) -> None:
    with caplog.at_level("INFO"):
        warm_up(session_of(tmp_path / "m.onnx", onnx_models.echo(datatype)), None, "m version 1")
    assert caplog.messages == []


def test_an_image_is_decoded_into_its_input(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    image = ImageConfig(input="image", width=2, height=2, channels=1)
    with caplog.at_level("INFO"):
        warm_up(session_of(tmp_path / "m.onnx", onnx_models.image_scores()), image, "m version 1")
    assert caplog.messages == []


def test_a_model_that_refuses_it_is_served_cold_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        warm_up(session_of(tmp_path / "m.onnx", onnx_models.in_threes()), None, "m version 1")
    assert "m version 1 is served cold: the model failed on this input" in caplog.messages
