from pathlib import Path

import numpy as np
import pytest

from model_lab.classifier import Classifier
from model_lab.export import build_onnx
from model_lab.network import Network
from model_lab.sample import Digits, to_input


def test_the_graph_computes_what_the_network_defines(
    small_models: tuple[Path, Path], small_network: Network, random_digits: Digits
) -> None:
    inputs = to_input(random_digits.images)
    values = inputs.reshape(len(inputs), -1)
    depth = len(small_network.weights)
    for layer in range(depth):
        values = values @ small_network.weights[layer] + small_network.biases[layer]
        if layer < depth - 1:
            values = np.maximum(values, 0)
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(Classifier(small_models[0]).run(inputs), expected, atol=1e-5)


def test_equal_networks_give_equal_bytes(small_network: Network) -> None:
    first, again = (build_onnx(small_network).SerializeToString() for _ in range(2))
    assert first == again


def test_a_network_that_does_not_lead_from_pixels_to_digits_is_refused() -> None:
    network = Network(weights=(np.zeros((64, 10), np.float32),), biases=(np.zeros(10, np.float32),))
    with pytest.raises(ValueError, match=r"widths: \(64, 10\), accepted are 1024 at the start"):
        build_onnx(network)
