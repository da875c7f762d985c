"""A slice out of Parquet files that Spark reads: the same files, types and rows as without it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import pyarrow as pa

from dagster_monitoring.errors import SchemaMismatchError, did_you_mean
from dagster_monitoring.sources._files import (
    StorageOptions,
    StoredFile,
    open_parquet,
    show_path,
)
from dagster_monitoring.sources._paths import is_one_slice
from dagster_monitoring.sources._slices import slice_files
from dagster_monitoring.sources._source import Request
from dagster_monitoring.sources._spark_pieces import MeasuredFile, pieces_of
from dagster_monitoring.spark import SparkRows, StoredFrame, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_NANOSECONDS = 1_000_000_000


def spark_rows(
    path: str, options: StorageOptions, request: Request, session: SparkSession
) -> SparkRows:
    """The rows asked for; see :meth:`Source.through_spark`.

    Files are listed and their footers read by this process. Spark takes one schema for all
    files of a frame, and would give nulls for a column that some file lacks: so each schema
    gets its own frame.
    """
    files = slice_files(path, options, request)
    bounds = None if is_one_slice(path, request) else request.bounds
    frames = []
    for schema, alike in _by_schema(files, options):
        files_alike = [measured.file for measured in alike]
        opened = _opened(path, files_alike, schema, request, bounds, session)
        pieces = tuple(pieces_of(alike, options, request, bounds))
        frames.append(StoredFrame(open=opened, schema=schema, pieces=pieces))
    return SparkRows(
        frames=tuple(frames),
        when_empty=None
        if bounds is None
        else absent(request, f"none of the {len(files)} files at {show_path(path)} has a row"),
    )


def _opened(
    path: str,
    files: list[StoredFile],
    schema: pa.Schema,
    request: Request,
    bounds: tuple[datetime, datetime] | None,
    session: SparkSession,
) -> Callable[[], DataFrame]:
    @cache
    def opened() -> DataFrame:
        urls = [spark_url(path, file) for file in files]
        frame = session.read.option("mergeSchema", "false").parquet(*urls)
        if bounds is None or request.timestamp is None:
            return frame
        where = f"file {show_path(files[0].url)}"
        return frame.filter(within(request.timestamp, schema, bounds, where=where))

    return opened


def within(
    timestamp: str, schema: pa.Schema, bounds: tuple[datetime, datetime], *, where: str
) -> str:
    """A slice's condition in Spark's SQL, which it pushes down to the files.

    Args:
        timestamp: the column that days are told apart by.
        schema: the rows' columns.
        bounds: start (included) and end (excluded).
        where: what is read, for messages.

    Raises:
        SchemaMismatchError: there is no such column, or it is no timestamp.

    Example:
        >>> noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
        >>> schema = pa.schema([("at", pa.timestamp("us"))])
        >>> within("at", schema, (noon, noon), where="table t")
        "`at` >= TIMESTAMP_NTZ'2024-05-01 12:00:00' AND `at` < TIMESTAMP_NTZ'2024-05-01 12:00:00'"
    """
    if timestamp not in schema.names:
        raise SchemaMismatchError(
            f"{where} has no column {timestamp!r} to tell days apart by."
            f"{did_you_mean(timestamp, schema.names)} It has: {', '.join(schema.names)}"
        )
    kind = schema.field(timestamp).type
    low, high = (_literal(bound, kind) for bound in bounds)
    if low is None:
        raise SchemaMismatchError(
            f"{where}, column {timestamp!r} is {kind}: Spark tells days apart by timestamps only. "
            "Write it as a timestamp, or use engine: local"
        )
    name = quoted(timestamp)
    return f"{name} >= {low} AND {name} < {high}"


def absent(request: Request, text: str) -> str:
    """Why a slice that has no row is a fault."""
    start, end = request.bounds or ("", "")
    return (
        f"partition {request.partition}: {text} whose {request.timestamp} lies from {start} "
        f"to before {end}"
    )


def spark_url(pattern: str, file: StoredFile) -> str:
    """A file's address in the scheme that the user wrote, which fsspec may not keep.

    Example:
        >>> file = StoredFile(
        ...     url="s3://b/a.parquet", path="b/a.parquet", size_bytes=1, fingerprint="",
        ...     modified_at=datetime.now(UTC),
        ... )
        >>> spark_url("s3a://b/*.parquet", file)
        's3a://b/a.parquet'
    """
    scheme, found, rest = pattern.partition("://")
    if not found or scheme in {"file", "local"}:
        return file.url
    authority = rest.partition("/")[0]
    # Buckets are the first part of fsspec's paths; hosts of name nodes are not.
    container = authority.partition("@")[0]
    return f"{scheme}://{authority}/{file.path.removeprefix(container).lstrip('/')}"


def _by_schema(
    files: list[StoredFile], options: StorageOptions
) -> list[tuple[pa.Schema, list[MeasuredFile]]]:
    groups: list[tuple[pa.Schema, list[MeasuredFile]]] = []
    for file in files:
        with open_parquet(file, options) as parquet:
            schema = parquet.schema_arrow.remove_metadata()
            measured = MeasuredFile.of(file, parquet)
        alike = next((own for known, own in groups if known.equals(schema)), None)
        if alike is None:
            groups.append((schema, [measured]))
        else:
            alike.append(measured)
    return groups


def _literal(moment: datetime, kind: pa.DataType) -> str | None:
    utc = moment.astimezone(UTC)
    if pa.types.is_date(kind):
        # Midnight in UTC, as elsewhere; Spark compares a date with a date alike.
        return f"TIMESTAMP_NTZ'{utc:%Y-%m-%d %H:%M:%S}'"
    if not pa.types.is_timestamp(kind):
        return None
    if kind.unit == "ns":
        # Spark has no nanoseconds: they come as integers.
        return f"{int(utc.timestamp()) * _NANOSECONDS}L"
    if kind.tz is None:
        return f"TIMESTAMP_NTZ'{utc:%Y-%m-%d %H:%M:%S}'"
    return f"TIMESTAMP'{utc:%Y-%m-%d %H:%M:%S}+00:00'"
