from itertools import pairwise
from pathlib import Path

import numpy as np
import onnx
import pytest

from model_lab.export import build_onnx
from model_lab.network import Network
from model_lab.quantization import quantize
from model_lab.sample import Digits

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def shipped_models() -> Path:
    return ROOT / "data" / "models"


@pytest.fixture(scope="session")
def shipped_sample() -> Path:
    return ROOT / "data" / "samples" / "digits.npz"


@pytest.fixture(scope="session")
def small_network() -> Network:
    generator = np.random.default_rng(0)
    widths = (1024, 48, 32, 10)
    return Network(
        weights=tuple(
            (generator.standard_normal((before, after)) / np.sqrt(before)).astype(np.float32)
            for before, after in pairwise(widths)
        ),
        biases=tuple(
            (generator.standard_normal(after) / 10).astype(np.float32) for after in widths[1:]
        ),
    )


@pytest.fixture(scope="session")
def random_digits() -> Digits:
    generator = np.random.default_rng(1)
    return Digits(
        images=generator.integers(0, 256, (70, 32, 32), dtype=np.uint8),
        labels=generator.integers(0, 10, 70, dtype=np.uint8),
    )


@pytest.fixture(scope="session")
def small_models(
    tmp_path_factory: pytest.TempPathFactory, small_network: Network, random_digits: Digits
) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("small")
    fp32, int8 = folder / "fp32.onnx", folder / "int8.onnx"
    model = build_onnx(small_network)
    onnx.save(model, fp32)
    quantize(model, int8, random_digits.images)
    return fp32, int8
