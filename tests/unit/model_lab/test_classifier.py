from pathlib import Path

import onnx
import pytest

from model_lab.classifier import Classifier
from model_lab.errors import ModelFileError
from model_lab.export import build_onnx
from model_lab.network import Network
from model_lab.sample import Digits


def test_accuracy_is_the_share_of_right_answers(
    small_models: tuple[Path, Path], random_digits: Digits
) -> None:
    classifier = Classifier(small_models[0])
    guesses = classifier.classify(random_digits.images)
    assert classifier.accuracy(Digits(random_digits.images, guesses)) == 1
    guesses[:7] = (guesses[:7] + 1) % 10
    assert classifier.accuracy(Digits(random_digits.images, guesses)) == pytest.approx(0.9)


def test_a_file_that_is_missing_or_no_model_is_refused_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    with pytest.raises(ModelFileError, match=r"model.onnx: no such file"):
        Classifier(path)
    path.write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match=r"model.onnx: onnxruntime cannot load it"):
        Classifier(path)


def test_a_model_with_another_input_name_is_refused(tmp_path: Path, small_network: Network) -> None:
    model = build_onnx(small_network)
    model.graph.input[0].name = "picture"
    model.graph.node[0].input[0] = "picture"
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ModelFileError, match=r"inputs \['picture'\].*accepted are \[image\]"):
        Classifier(tmp_path / "model.onnx")
