"""8-bit integers for weights and activations, with scales fixed before serving."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import (
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from model_lab.classifier import INPUT
from model_lab.sample import to_input

CALIBRATION_BATCH = 64


class Calibration:
    """Feeds images [n, 32, 32] in batches; onnxruntime's CalibrationDataReader by shape."""

    def __init__(self, images: npt.NDArray[np.uint8]) -> None:
        self._batches: Iterator[npt.NDArray[np.uint8]] = (
            images[start : start + CALIBRATION_BATCH]
            for start in range(0, len(images), CALIBRATION_BATCH)
        )

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """Return the next batch as model inputs, or None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {INPUT: to_input(batch)}


def quantize(model: onnx.ModelProto, target: Path, images: npt.NDArray[np.uint8]) -> None:
    """Write the int8 version of `model` to `target`, calibrated on `images` uint8 [n, 32, 32].

    Static QDQ: an activation's scale comes from the calibration images, so a request's result
    cannot depend on what else is in its batch, as it does where the scale is computed per batch.
    Weights use 7 of their 8 bits (`reduce_range`): processors without VNNI add two 8-bit
    products in 16 bits, which 2 x 255 x 64 fits and 2 x 255 x 127 does not. The last layer is
    0.3 % of the weights and stays FP32, so that probabilities are not rounded to 1/256 steps.
    """
    last = [node.name for node in model.graph.node if node.op_type == "Gemm"][-1]
    with TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(model, str(prepared), skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(target),
            Calibration(images),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=False,
            reduce_range=True,
            calibrate_method=CalibrationMethod.MinMax,
            op_types_to_quantize=["Gemm", "Relu"],
            nodes_to_exclude=[last],
        )
