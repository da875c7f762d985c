"""Tables as Parquet bytes, with a header of JSON that says what they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_monitoring.errors import CorruptDataError

REMEDY = "Delete it and materialize its partition again"
"""What to do about a stored file that can't be used."""

# A third less than dictionaries, and read in half the time: places grow, and sums hardly repeat.
_ENCODINGS = {pa.int32(): "DELTA_BINARY_PACKED", pa.float64(): "BYTE_STREAM_SPLIT"}
_SUMS = "sum"


def to_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file; equal tables give equal bytes."""
    encodings = {
        field.name: _ENCODINGS[field.type] for field in table.schema if field.type in _ENCODINGS
    }
    if _SUMS in table.column_names:
        encodings[_SUMS] = "BYTE_STREAM_SPLIT"
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        compression_level=3,
        write_statistics=False,
        column_encoding=encodings,
        use_dictionary=[name for name in table.column_names if name not in encodings],
    )
    return bytes(sink.getvalue())


def from_bytes(data: bytes, *, where: str, columns: Sequence[str] | None = None) -> pa.Table:
    """The table of a Parquet file, or some of its columns.

    Raises:
        CorruptDataError: the bytes are no Parquet file; ``where`` names it.
    """
    try:
        # Threads cost more than they save on a file of a megabyte.
        return pq.ParquetFile(pa.BufferReader(data)).read(columns=columns, use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise CorruptDataError(f"{where} can't be read: {error}. {REMEDY}") from error


# Any: JSON of mixed values, checked by the format's number.
def read_header(table: pa.Table, key: bytes, version: int) -> dict[str, Any]:
    """The metadata of a table that this package wrote.

    Raises:
        CorruptDataError: it has none, or of another format.
    """
    text = (table.schema.metadata or {}).get(key)
    header = json.loads(text) if text else {}
    if header.get("format") != version:
        raise CorruptDataError(
            f"not a file of format {version} ({key.decode()}): {header.get('format')}. {REMEDY}"
        )
    return dict(header)


def read_time(text: str | None) -> datetime | None:
    """A time of a header."""
    return None if text is None else datetime.fromisoformat(text)


def write_time(moment: datetime | None) -> str | None:
    """A time for a header."""
    return None if moment is None else moment.isoformat()
