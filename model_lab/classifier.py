"""A model file loaded in onnxruntime, as a node would run it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from model_lab.errors import ModelFileError
from model_lab.sample import Digits, to_input

INPUT = "image"
OUTPUT = "probabilities"
INTRA_OP_THREADS = 1


class Classifier:
    """Runs one ONNX file on one CPU thread.

    Raises ModelFileError if the file is missing, does not load, or names its input or output
    other than `image` and `probabilities`.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ModelFileError(f"{path}: no such file; `python -m model_lab train` writes it")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = INTRA_OP_THREADS
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        # onnxruntime's own exception classes share no base below Exception.
        except Exception as error:
            raise ModelFileError(f"{path}: onnxruntime cannot load it ({error})") from error
        inputs = [value.name for value in self._session.get_inputs()]
        outputs = [value.name for value in self._session.get_outputs()]
        if (inputs, outputs) != ([INPUT], [OUTPUT]):
            raise ModelFileError(
                f"{path}: inputs {inputs}, outputs {outputs}; accepted are [{INPUT}], [{OUTPUT}]"
            )

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return probabilities [n, 10] for a batch [n, 1, 32, 32] of values 0..1."""
        probabilities: npt.NDArray[np.float32] = self._session.run([OUTPUT], {INPUT: batch})[0]
        return probabilities

    def classify(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return the most probable digit [n] of each image of uint8 [n, 32, 32]."""
        return np.asarray(np.argmax(self.run(to_input(images)), axis=1), np.uint8)

    def accuracy(self, digits: Digits) -> float:
        """Return the share of `digits` that are classified as labelled, 0..1."""
        return float(np.mean(self.classify(digits.images) == digits.labels))
