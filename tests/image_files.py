"""Files of images, zips of them and parquet of them, as tests need them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def picture(number: int = 0, width: int = 40, height: int = 40) -> Image.Image:
    """An image of its own: a plain colour that `number` decides, with a darker lower half."""
    colour = (37 * number % 200 + 40, 91 * number % 200 + 40, 53 * number % 200 + 40)
    image = Image.new("RGB", (width, height), colour)
    image.paste((20, 20, 20), (0, height // 2, width, height))
    return image


def encoded(image: Image.Image | None = None, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    (image or picture()).save(file, kind, **options)
    return file.getvalue()


def pictures(count: int, kind: str = "PNG") -> dict[str, bytes]:
    """Names and contents of so many images."""
    return {f"images/{n:05}.{kind.lower()}": encoded(picture(n), kind) for n in range(count)}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def parquet(columns: Mapping[str, Any], rows_a_group: int = 100) -> bytes:
    """A parquet file of these columns (arrays, or lists that pyarrow understands)."""
    file = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), file, row_group_size=rows_a_group)
    return file.getvalue()


def image_column(images: Sequence[bytes | None]) -> pa.Array:
    """A column as the `datasets` library writes it: struct<bytes: binary, path: string>."""
    rows = [{"bytes": data, "path": f"{n:06}.jpg"} for n, data in enumerate(images)]
    return pa.array(rows, pa.struct({"bytes": pa.binary(), "path": pa.string()}))


def means(pixels: Any) -> Any:
    """The mean colour of the upper half of images (N, 3, H, W), as (N, 3)."""
    array = np.asarray(pixels, np.float32)
    return array[:, :, : array.shape[2] // 3].mean((2, 3))
