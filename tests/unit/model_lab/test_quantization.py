from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from model_lab.classifier import Classifier
from model_lab.network import Network
from model_lab.quantization import CALIBRATION_BATCH, Calibration, quantize
from model_lab.sample import Digits, to_input


def test_int8_probabilities_stay_close_to_fp32(
    small_models: tuple[Path, Path], random_digits: Digits
) -> None:
    inputs = to_input(random_digits.images)
    fp32, int8 = (Classifier(path).run(inputs) for path in small_models)
    np.testing.assert_allclose(int8, fp32, atol=0.05)


def test_int8_weights_use_seven_bits_so_that_no_processor_saturates(
    small_models: tuple[Path, Path],
) -> None:
    initializers = onnx.load(small_models[1]).graph.initializer
    weights = [
        numpy_helper.to_array(tensor)
        for tensor in initializers
        if tensor.data_type == onnx.TensorProto.INT8 and len(tensor.dims) == 2
    ]
    assert len(weights) == 2
    assert max(int(np.abs(weight.astype(np.int16)).max()) for weight in weights) <= 64


def test_the_last_layer_keeps_its_fp32_weights(
    small_models: tuple[Path, Path], small_network: Network
) -> None:
    tensors = {tensor.name: tensor for tensor in onnx.load(small_models[1]).graph.initializer}
    last = numpy_helper.to_array(tensors["weight_2"])
    np.testing.assert_array_equal(last, small_network.weights[2])


def test_quantising_twice_gives_equal_bytes(
    tmp_path: Path, small_models: tuple[Path, Path], random_digits: Digits
) -> None:
    quantize(onnx.load(small_models[0]), tmp_path / "again.onnx", random_digits.images)
    assert (tmp_path / "again.onnx").read_bytes() == small_models[1].read_bytes()


def test_calibration_hands_out_every_image_once(random_digits: Digits) -> None:
    calibration = Calibration(random_digits.images)
    batches = []
    while (inputs := calibration.get_next()) is not None:
        batches.append(inputs["image"])
    assert [len(batch) for batch in batches] == [CALIBRATION_BATCH, 70 - CALIBRATION_BATCH]
    np.testing.assert_array_equal(np.concatenate(batches), to_input(random_digits.images))
