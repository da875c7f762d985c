"""What every source can do: tell a slice's columns and hand out its rows in batches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import pyarrow as pa

from dagster_monitoring.declaration import Declaration
from dagster_monitoring.errors import DeclarationError
from dagster_monitoring.spark import SparkConnection, SparkRows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which rows and columns to read.

    Args:
        columns: names to read; ``None`` reads all. A name that the data do not have is left out
            of the batches, so that one missing column does not stop the others.
        partition: the slice's key, put in place of ``{partition}``; ``None`` reads every slice.
        bounds: start (included) and end (excluded) of the slice, with a time zone. A source that
            can't tell slices apart by name keeps the rows whose timestamp lies between them.
        timestamp: the column that ``bounds`` are compared with.
        timezone: the partitions' zone, in which ``{partition:%H}`` is the slice's hour.
    """

    columns: tuple[str, ...] | None = None
    partition: str | None = None
    bounds: tuple[datetime, datetime] | None = None
    timestamp: str | None = None
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceFacts:
    """What is known of a slice without reading its rows.

    Args:
        locations: files, or the table or query, that hold it.
        size_bytes: stored size; ``None`` where a database does not tell.
        rows: number of rows; ``None`` where only reading tells.
        schema: column names and types, of the first file where they differ.
        faults: one line for each column whose type differs between files, or that some file lacks.
    """

    locations: tuple[str, ...]
    size_bytes: int | None
    rows: int | None
    schema: pa.Schema
    faults: tuple[str, ...] = ()


class Source(Declaration):
    """Where slices or baselines are read from; each kind is one file with its ``type``."""

    read_by_spark: ClassVar[bool] = False
    """Whether ``through_spark`` can be asked for."""

    @abstractmethod
    def batches(self, request: Request) -> Iterator[pa.RecordBatch]:
        """The rows asked for, in batches; strings may come dictionary-encoded.

        A slice that is there but empty gives one batch of no rows, which still names its columns.
        The type of a column may differ between batches where it differs between files.

        Raises:
            SliceNotFoundError: no file, or no row, for the partition.
            CorruptDataError: a file can't be read to its end; the message names it.
            SchemaMismatchError: the timestamp that rows are to be told apart by is missing.
            DataError: the place can't be reached; never shows a password.
        """

    @abstractmethod
    def describe(self, request: Request) -> SliceFacts:
        """What is known of a slice without reading its rows; raises as ``batches`` does."""

    def through_spark(self, request: Request, session: SparkSession) -> SparkRows:
        """All columns of the rows asked for, to be read by Spark; nothing is read yet.

        Raises:
            DeclarationError: Spark can't read this kind of source.
            DataError: as :meth:`batches`, as far as it is known without reading rows.
        """
        del request, session
        raise DeclarationError(f"engine spark can't read a source {type(self).__name__}")

    def connected(self, connection: SparkConnection | None) -> Self:
        """The same source with the model's Spark session, for kinds that need one.

        Raises:
            ValueError: it needs one, and neither it nor the model's engine names any.
        """
        del connection
        return self

    def arrow_schema(self, partition: str | None = None) -> pa.Schema:
        """Column names and types of a slice, or of the newest data when ``None``."""
        return self.describe(Request(partition=partition)).schema

    def fields(self, partition: str | None = None) -> tuple[str, ...]:
        """Column names of a slice, or of the newest data when ``None``."""
        return tuple(self.arrow_schema(partition).names)

    @abstractmethod
    def relative_to(self, root: Path) -> Self:
        """The same source with its relative local paths taken from ``root``."""
