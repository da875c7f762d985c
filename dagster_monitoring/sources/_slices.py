"""A slice out of Parquet files: its files by name, or its rows by timestamp."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_monitoring.errors import SchemaMismatchError, SliceNotFoundError, did_you_mean
from dagster_monitoring.sources._files import (
    BATCH_ROWS,
    StorageOptions,
    StoredFile,
    list_files,
    open_parquet,
    show_path,
)
from dagster_monitoring.sources._paths import is_one_slice, slice_pattern
from dagster_monitoring.sources._source import Request, SliceFacts
from dagster_monitoring.sources._times import to_utc, within


def slice_files(path: str, options: StorageOptions, request: Request) -> list[StoredFile]:
    """The files that may hold a slice's rows, at least one.

    Raises:
        SliceNotFoundError: there is none; names the path that was looked at.
    """
    pattern = slice_pattern(path, request)
    files = list_files(pattern, options)
    if not files:
        of = f"partition {request.partition}: " if request.partition else ""
        raise SliceNotFoundError(
            f"{of}no file at {show_path(pattern)}. "
            f"Check that the slice was written, and the source's path"
        )
    return files


def read_slice(path: str, options: StorageOptions, request: Request) -> Iterator[pa.RecordBatch]:
    """The rows asked for; see :meth:`Source.batches`."""
    bounds = None if is_one_slice(path, request) else request.bounds
    rows, files = 0, slice_files(path, options, request)
    for file in files:
        with open_parquet(file, options, dictionaries=True) as parquet:
            for batch in _read_file(parquet, file, request, bounds):
                rows += batch.num_rows
                if bounds is None or batch.num_rows:
                    yield batch
    if bounds is not None and rows == 0:
        start, end = bounds
        raise SliceNotFoundError(
            f"partition {request.partition}: none of the {len(files)} files at {show_path(path)} "
            f"has a row whose {request.timestamp} lies from {start} to before {end}"
        )


def read_groups(
    file: StoredFile,
    options: StorageOptions,
    request: Request,
    *,
    groups: range,
    bounds: tuple[datetime, datetime] | None,
) -> Iterator[pa.RecordBatch]:
    """The rows asked for of some row groups of one file.

    Args:
        file: one of :func:`slice_files`.
        options: for the file system.
        request: columns and timestamp.
        groups: which row groups.
        bounds: what the timestamp lies within; ``None`` where the file is of one day.

    Raises:
        DataError: as :meth:`Source.batches`.
    """
    with open_parquet(file, options, dictionaries=True) as parquet:
        yield from _read_file(parquet, file, request, bounds, groups)


def describe_slice(path: str, options: StorageOptions, request: Request) -> SliceFacts:
    """What footers tell; see :meth:`Source.describe`."""
    files = slice_files(path, options, request)
    if request.partition is None:
        files = files[-1:]
    schemas, rows = [], 0
    for file in files:
        with open_parquet(file, options) as parquet:
            schemas.append(parquet.schema_arrow)
            rows += parquet.metadata.num_rows
    return SliceFacts(
        locations=tuple(show_path(file.url) for file in files),
        size_bytes=sum(file.size_bytes for file in files),
        rows=rows if is_one_slice(path, request) else None,
        schema=schemas[0],
        faults=_differences(files, schemas),
    )


def _read_file(
    parquet: pq.ParquetFile,
    file: StoredFile,
    request: Request,
    bounds: tuple[datetime, datetime] | None,
    groups: range | None = None,
) -> Iterator[pa.RecordBatch]:
    asked = range(parquet.num_row_groups) if groups is None else groups
    schema = parquet.schema_arrow
    wanted = [name for name in schema.names if request.columns is None or name in request.columns]
    if bounds is None or request.timestamp is None:
        yield from _batches(parquet, wanted, asked)
        return
    timestamp = request.timestamp
    if timestamp not in schema.names:
        raise SchemaMismatchError(
            f"file {show_path(file.url)} has no column {timestamp!r} to tell slices apart by."
            f"{did_you_mean(timestamp, schema.names)} It has: {', '.join(schema.names)}"
        )
    kept = [group for group in _groups_within(parquet, timestamp, bounds) if group in asked]
    for batch in _batches(parquet, list(dict.fromkeys([*wanted, timestamp])), kept):
        try:
            mask = within(batch.column(timestamp), bounds)
        except pa.ArrowException as error:
            raise SchemaMismatchError(
                f"file {show_path(file.url)}, column {timestamp!r} can't be read as a time: {error}"
            ) from error
        yield batch.filter(mask).select(wanted)


def _batches(
    parquet: pq.ParquetFile, columns: list[str], groups: Sequence[int]
) -> Iterator[pa.RecordBatch]:
    empty = True
    if groups:
        for batch in parquet.iter_batches(
            batch_size=BATCH_ROWS, row_groups=list(groups), columns=columns
        ):
            empty = False
            yield batch
    if empty:
        fields = [parquet.schema_arrow.field(name) for name in columns]
        yield pa.RecordBatch.from_pylist([], schema=pa.schema(fields))


def _groups_within(
    parquet: pq.ParquetFile, timestamp: str, bounds: tuple[datetime, datetime]
) -> list[int]:
    """Row groups whose statistics do not rule them out."""
    metadata = parquet.metadata
    position = _leaf_position(metadata, timestamp)
    if position is None:
        return list(range(metadata.num_row_groups))
    start, end = bounds
    kept = []
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(position).statistics
        if statistics is not None and statistics.has_min_max:
            if not isinstance(statistics.min, datetime):
                kept.append(group)
                continue
            low, high = to_utc(pa.array([statistics.min, statistics.max])).to_pylist()
            if high < start or low >= end:
                continue
        kept.append(group)
    return kept


def _leaf_position(metadata: pq.FileMetaData, name: str) -> int | None:
    names = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
    return names.index(name) if name in names else None


def _differences(files: Sequence[StoredFile], schemas: Sequence[pa.Schema]) -> tuple[str, ...]:
    first, lines = schemas[0], []
    for file, schema in zip(files[1:], schemas[1:], strict=True):
        shown = show_path(file.url)
        for name in dict.fromkeys([*first.names, *schema.names]):
            there, here = (s.field(name).type if name in s.names else None for s in (first, schema))
            if there != here:
                lines.append(
                    f"{shown}: column {name!r} is {here or 'missing'}, "
                    f"but {there or 'missing'} in {show_path(files[0].url)}"
                )
    return tuple(lines)
