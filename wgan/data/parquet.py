"""Files of images as the Hub keeps them: parquet with a column of encoded images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from wgan.data.base import DataError

# Tried first, in this order; then any column that fits.
IMAGE_NAMES = ("image", "img", "jpg", "png")
LABEL_NAMES = ("label", "labels")
_ROWS = 64  # held at once


class Row(NamedTuple):
    """One row of a shard. data: the encoded image, None where the row has none; label: its class,
    −1 where it has none."""

    data: bytes | None
    label: int


class Shard:
    """A parquet file with a column of images; `rows` of them.

    The column is a struct with `bytes`, as the `datasets` library writes it, or binary. Raises
    `DataError` when the file is no parquet or has no such column.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        try:
            # Read as it goes: a row group may have hundreds of megabytes.
            self._file = pq.ParquetFile(path, buffer_size=1 << 20, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error
        schema = self._file.schema_arrow
        image = _image_column(schema)
        if image is None:
            raise DataError(
                f"{name} has no column of images; its columns are {_listed(schema.names)}."
            )
        self.image = image
        label = next((n for n in LABEL_NAMES if n in schema.names), None)
        self.label = label if label and types.is_integer(schema.field(label).type) else None
        self.rows: int = self._file.metadata.num_rows

    def read(self, start: int = 0) -> Iterator[Row]:
        """The rows from `start` on; a few are in memory at a time. Raises `DataError`."""
        metadata, first = self._file.metadata, 0
        while first < metadata.num_row_groups and start >= metadata.row_group(first).num_rows:
            start -= metadata.row_group(first).num_rows
            first += 1
        groups = range(first, metadata.num_row_groups)
        columns = [self.image, *([self.label] if self.label else [])]
        try:
            batches = self._file.iter_batches(_ROWS, list(groups), columns)
            for batch in batches:
                skipped, start = min(start, len(batch)), max(0, start - len(batch))
                yield from self._rows(batch.slice(skipped))
        except (pa.ArrowException, OSError) as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        self._file.close()

    def _rows(self, batch: pa.RecordBatch) -> Iterator[Row]:
        labels = batch[self.label].to_pylist() if self.label else [None] * len(batch)
        for value, label in zip(batch[self.image], labels, strict=True):
            yield Row(_encoded(value), -1 if label is None else label)

    def _unreadable(self, error: BaseException) -> DataError:
        reason = " ".join(str(error).split())[:200].rstrip(".")
        return DataError(f"{self.name} cannot be read as parquet ({reason}).")


def _encoded(value: Any) -> bytes | None:
    """The bytes of one cell: of a struct, or themselves."""
    if isinstance(value, pa.StructScalar):
        value = value["bytes"] if value.is_valid else None
    return None if value is None else value.as_py()


def _image_column(schema: pa.Schema) -> str | None:
    """The column by its name, else the first struct of images, else the first of bytes."""
    # A name that stands for two columns stands for none.
    single = [name for name in schema.names if schema.get_field_index(name) >= 0]
    kinds = {name: schema.field(name).type for name in single}
    structs = [name for name, kind in kinds.items() if _is_image(kind)]
    fitting = structs + [name for name, kind in kinds.items() if _is_binary(kind)]
    named = [name for name in IMAGE_NAMES if name in fitting]
    return next(iter(named + fitting), None)


def _is_image(kind: pa.DataType) -> bool:
    index = kind.get_field_index("bytes") if types.is_struct(kind) else -1
    return index >= 0 and _is_binary(kind.field(index).type)


def _is_binary(kind: pa.DataType) -> bool:
    return types.is_binary(kind) or types.is_large_binary(kind)


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:40]) for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown or "none"
