"""What a first request would otherwise wait for: first-time set-up of decoder and runtime."""

import io
import logging

import numpy as np
from PIL import Image

from inference_node.errors import ExecutionError
from inference_node.models.config import ImageConfig
from inference_node.models.image_input import MODES, image_tensor
from inference_node.models.session import NUMPY_TYPES, Session

logger = logging.getLogger(__name__)


def warm_up(session: Session, image: ImageConfig | None, label: str) -> None:
    """Execute `session` once on zeros, every axis of any length taken as 1, and decode one image.

    A model that refuses such an input is served cold, and the log says so under `label`.
    """
    inputs = {
        spec.name: np.zeros([max(size, 1) for size in spec.shape], NUMPY_TYPES[spec.datatype])
        for spec in session.inputs
    }
    if image is not None:
        png = io.BytesIO()
        size = (image.width, image.height)
        Image.new(MODES[image.channels], size).save(png, "PNG")
        inputs[image.input] = image_tensor(png.getvalue(), image, size[0] * size[1])
    try:
        session.run(inputs, [spec.name for spec in session.outputs])
    except ExecutionError as error:
        logger.info("%s is served cold: %s", label, error)
