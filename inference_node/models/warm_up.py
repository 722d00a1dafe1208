"""What a first request would otherwise wait for: first-time set-up of decoder and runtime."""

import io
import logging

import numpy as np
from PIL import Image

from inference_node.errors import ExecutionError
from inference_node.models.image_input import MODES, image_tensor
from inference_node.models.repository import Model
from inference_node.protocol.infer import NUMPY_TYPES

logger = logging.getLogger(__name__)


def warm_up(model: Model) -> None:
    """Execute `model` once on zeros, every axis of any length taken as 1, and decode one image.

    A model that refuses such an input is served cold, and the log says so.
    """
    inputs = {
        spec.name: np.zeros([max(size, 1) for size in spec.shape], NUMPY_TYPES[spec.datatype])
        for spec in model.session.inputs
    }
    image = model.config.image
    if image is not None:
        png = io.BytesIO()
        size = (image.width, image.height)
        Image.new(MODES[image.channels], size).save(png, "PNG")
        inputs[image.input] = image_tensor(png.getvalue(), image, size[0] * size[1])
    try:
        model.session.run(inputs, [spec.name for spec in model.session.outputs])
    except ExecutionError as error:
        logger.info("%s version %s is served cold: %s", model.name, model.version, error)
