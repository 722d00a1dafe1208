"""Images: what a model gets to see of each kind, and what is refused before it costs anything."""

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image, ImageFile

from inference_node.errors import ImageTooLargeError, InvalidImageError
from inference_node.models.config import ImageConfig
from inference_node.models.image_input import image_tensor

PIXELS = 1_000_000
GREY = ImageConfig(input="image", width=4, height=2, channels=1)
COLOUR = ImageConfig(input="image", width=4, height=2, channels=3)
RAMP = np.array([[0, 36, 72, 108], [144, 180, 216, 252]], np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(
    width: int,
    height: int,
    *,
    depth: int = 8,
    colour: int = 0,
    rows: bytes = b"",
    extra: bytes = b"",
) -> bytes:
    """Return a PNG made by hand: its header may claim anything."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def shown(body: bytes, config: ImageConfig = GREY) -> list[list[float]]:
    """Return the first channel as grey steps 0..255."""
    tensor = image_tensor(body, config, PIXELS)
    assert tensor.dtype == np.float32
    assert tensor.shape == (1, config.channels, config.height, config.width)
    grey: list[list[float]] = np.round(tensor[0, 0] * np.float32(255), 3).tolist()
    return grey


def test_a_grey_png_comes_through_pixel_by_pixel_scaled_to_0_to_1() -> None:
    body = encoded(Image.fromarray(RAMP))
    assert shown(body) == RAMP.tolist()
    assert image_tensor(body, GREY, PIXELS).max() == np.float32(252) * np.float32(1 / 255)


def test_the_scale_is_the_configurations() -> None:
    config = ImageConfig(input="image", width=4, height=2, channels=1, scale=2.0)
    tensor = image_tensor(encoded(Image.fromarray(RAMP)), config, PIXELS)
    assert tensor[0, 0].tolist() == (RAMP * np.float32(2)).tolist()


@pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA", "P"])
def test_a_grey_picture_is_the_same_in_every_mode_of_png(mode: str) -> None:
    assert shown(encoded(Image.fromarray(RAMP).convert(mode))) == RAMP.tolist()


def test_a_bilevel_png_is_black_and_white() -> None:
    body = encoded(Image.fromarray(RAMP > 100).convert("1"))
    assert shown(body) == np.where(RAMP > 100, 255, 0).tolist()


def test_a_16_bit_grey_png_is_scaled_and_not_clipped() -> None:
    body = encoded(Image.fromarray(RAMP.astype(np.uint16) * 257))
    assert shown(body) == RAMP.tolist()


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_16_bit_png_of_more_channels_is_scaled_too(colour: int, channels: int) -> None:
    rows = b"".join(b"\0" + np.repeat(row.astype(">u2") * 257, channels).tobytes() for row in RAMP)
    assert shown(png(4, 2, depth=16, colour=colour, rows=rows)) == RAMP.tolist()


def test_a_jpeg_comes_through_but_for_its_losses() -> None:
    flat = np.full((2, 4), 120, np.uint8)
    for mode in ("L", "RGB", "CMYK"):
        body = encoded(Image.fromarray(flat).convert(mode), "JPEG", quality=95)
        np.testing.assert_allclose(shown(body), 120, atol=2)


def test_colours_come_channels_first() -> None:
    pixels = np.zeros((2, 4, 3), np.uint8)
    pixels[:, :, 0], pixels[:, :, 1], pixels[:, :, 2] = 10, 20, RAMP
    tensor = image_tensor(encoded(Image.fromarray(pixels)), COLOUR, PIXELS)
    assert np.round(tensor[0] * 255).tolist() == pixels.transpose(2, 0, 1).tolist()


def test_another_size_is_resized() -> None:
    left_black = np.zeros((20, 40), np.uint8)
    left_black[:, 20:] = 255
    rows = shown(encoded(Image.fromarray(left_black)))
    assert rows[0] == rows[1]
    assert rows[0] == sorted(rows[0])
    assert rows[0][0] < 10
    assert rows[0][-1] > 245
    one = encoded(Image.new("L", (1, 1), 77))
    assert shown(one) == [[77.0] * 4] * 2


REAL = encoded(Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 64), np.uint8)))
REAL_JPEG = encoded(Image.open(io.BytesIO(REAL)), "JPEG")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"text, no image",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        encoded(Image.fromarray(RAMP), "GIF"),
        encoded(Image.fromarray(RAMP), "BMP"),
        encoded(Image.fromarray(RAMP), "TIFF"),
        encoded(Image.fromarray(RAMP), "WEBP"),
        REAL[: len(REAL) // 2],
        REAL[:-30],
        REAL_JPEG[: len(REAL_JPEG) // 2],
        REAL[:100] + b"\0" * 100 + REAL[200:],
        png(4, 2),
        png(4, 2, rows=b"\0"),
        png(0, 2, rows=b"\0"),
        png(4, 2, colour=5, rows=b"\0"),
    ],
    ids=[
        "empty", "text", "svg", "PNG signature", "JPEG signature", "GIF", "BMP", "TIFF", "WEBP",
        "half a PNG", "end of a PNG missing", "half a JPEG", "hole in a PNG", "no rows",
        "too few rows", "no width", "colour type 5",
    ],
)  # fmt: skip
def test_what_is_no_whole_png_or_jpeg_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidImageError) as refused:
        image_tensor(body, GREY, PIXELS)
    message = str(refused.value)
    assert len(message) < 300
    assert "\n" not in message
    assert "0x" not in message


@pytest.fixture
def peak_bytes() -> Iterator[Callable[[], int]]:
    """Tells the most memory that Python held at a time since the test began."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def no_decoding(image: ImageFile.ImageFile) -> None:
    raise AssertionError("pixels were decoded")


@pytest.mark.parametrize("side", [1_001, 9_000, 50_000, 2**31 - 1])
def test_an_image_that_claims_too_many_pixels_is_refused_without_decoding_any(
    side: int, peak_bytes: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", no_decoding)
    body = png(side, side, rows=b"\0" * 1000)
    assert len(body) < 200
    with pytest.raises(ImageTooLargeError, match=r"too large|pixels"):
        image_tensor(body, GREY, PIXELS)
    assert peak_bytes() < 1_000_000


def test_the_limit_is_on_width_times_height_and_includes_itself() -> None:
    body = encoded(Image.new("L", (1000, 1000)))
    assert image_tensor(body, GREY, 1_000_000).shape == (1, 1, 2, 4)
    with pytest.raises(ImageTooLargeError, match="1000 x 1000 pixels; accepted: at most 999999"):
        image_tensor(body, GREY, 999_999)


@pytest.mark.parametrize(
    ("kind", "head"), [(b"zTXt", b"k\0\0"), (b"iTXt", b"k\0\1\0\0\0"), (b"iCCP", b"k\0\0")]
)
def test_text_that_would_unpack_to_fifty_megabytes_is_refused_before_it_does(
    kind: bytes, head: bytes, peak_bytes: Callable[[], int]
) -> None:
    packer = zlib.compressobj()
    packed = b"".join(packer.compress(b"x" * 1_000_000) for _ in range(50)) + packer.flush()
    body = png(4, 2, rows=b"\0" * 10, extra=chunk(kind, head + packed))
    tracemalloc.reset_peak()
    with pytest.raises(InvalidImageError):
        image_tensor(body, GREY, PIXELS)
    assert peak_bytes() < 10_000_000
