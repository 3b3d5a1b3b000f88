"""Files of images as square RGB pixels: decoded with care, because anybody may have made them."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
MAX_BYTES = 50_000_000  # of one file
MAX_PIXELS = 50_000_000  # of one image: 200 MB as RGBA, and Pillow holds it twice
MAX_SIDE = 20_000  # pixels: a thread of millions of rows takes ten times as long

# Pillow's readers of these formats only: each further one is code that strangers' bytes reach.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
_ORIENTATION = 0x0112  # the EXIF tag of how a camera was held
# Its value -> what puts the image upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Pixels = npt.NDArray[np.uint8]
Spend = Callable[[int], object]  # is told how many pixels are about to be decoded


def for_free(pixels: int) -> None:
    """A `Spend` that counts nothing."""


class PictureError(ValueError):
    """Bytes that are no image, or a damaged one, or one too large to decode."""


def read_picture(data: bytes, size: int, spend: Spend = for_free) -> Pixels:
    """The centre square of an image file, the first frame of a moving one, as (3, size, size) RGB.

    Transparent parts become white. Raises `PictureError`. Takes up to 450 MB while it decodes.
    """
    if len(data) > MAX_BYTES:
        raise PictureError(f"The file has more than {MAX_BYTES // 1_000_000} MB.")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            return _square(image, size, spend)
    except PictureError:
        raise
    # A damaged file makes Pillow raise anything from an OSError to a struct.error.
    except Exception as error:
        raise PictureError(f"The image cannot be read ({error}).") from error


def _square(image: Image.Image, size: int, spend: Spend) -> Pixels:
    # Nothing is decoded yet: this is what the file's header says.
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"The image has more than {MAX_PIXELS // 1_000_000} million pixels.")
    if max(width, height) > MAX_SIDE:
        raise PictureError(f"The image is longer than {MAX_SIDE:,} pixels.")
    image.draft(image.mode, (2 * size, 2 * size))  # a large JPEG comes out smaller, much quicker
    spend(image.width * image.height)
    upright = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    image = _plain(image)

    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    image = image.resize((size, size), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)

    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if upright is not None:
        image = image.transpose(upright)
    return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


def _plain(image: Image.Image) -> Image.Image:
    """In RGB, or RGBA where there is transparency."""
    if image.mode.startswith("I"):  # Pillow would clip 16 bits of grey to 8
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)
