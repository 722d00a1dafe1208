"""Image bytes to the input tensor of a model."""

import asyncio
import io

import numpy as np
from PIL import Image, UnidentifiedImageError

from inference_node.errors import ImageTooLargeError, InvalidImageError
from inference_node.models.config import ImageConfig
from inference_node.models.session import Tensor

FORMATS = ("PNG", "JPEG")

# Decoding takes about 10 ns a pixel.
INLINE_BYTES = 16 * 1024
INLINE_PIXELS = 256 * 256

MODES = {1: "L", 3: "RGB"}


def image_tensor(body: bytes, config: ImageConfig, max_pixels: int) -> Tensor:
    """Return `body`, a PNG or JPEG, as float32 of shape [1, channels, height, width].

    Raises InvalidImageError for anything else and ImageTooLargeError, before a pixel is decoded,
    when the image's header speaks of more than `max_pixels`.
    """
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as image:
            _require_at_most(max_pixels, image)
            fitted = _eight_bits(image).convert(MODES[config.channels])
            if fitted.size != (config.width, config.height):
                fitted = fitted.resize((config.width, config.height), Image.Resampling.BILINEAR)
    except ImageTooLargeError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(f"the image is too large: {error}") from error
    except UnidentifiedImageError as error:
        raise InvalidImageError("the body is no PNG or JPEG image") from error
    except Exception as error:  # a broken file makes Pillow raise almost anything
        raise InvalidImageError(f"the image cannot be decoded: {error}") from error
    pixels = np.asarray(fitted, dtype=np.float32) * np.float32(config.scale)
    return pixels.reshape(config.height, config.width, config.channels).transpose(2, 0, 1)[None]


async def decode_image(body: bytes, config: ImageConfig, max_pixels: int) -> Tensor:
    """Return what `image_tensor` does; a large image does not hold up the event loop."""
    if len(body) <= INLINE_BYTES and _pixels(body) <= INLINE_PIXELS:
        return image_tensor(body, config, max_pixels)
    return await asyncio.to_thread(image_tensor, body, config, max_pixels)


def _pixels(body: bytes) -> int:
    """Return what the image's header says, 0 where it has none that can be read."""
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as image:
            return image.width * image.height
    except Exception:  # image_tensor says what is wrong
        return 0


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a 16-bit grey image scaled to 0..255: Pillow's own conversion would clip it there."""
    return image.point(lambda value: value * (1 / 257)) if image.mode == "I;16" else image


def _require_at_most(max_pixels: int, image: Image.Image) -> None:
    if image.width * image.height > max_pixels:
        raise ImageTooLargeError(
            f"the image has {image.width} x {image.height} pixels; "
            f"accepted: at most {max_pixels} in all"
        )
