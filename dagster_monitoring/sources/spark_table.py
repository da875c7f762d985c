"""Slices in a table that Spark reads: of its catalog, Delta, Iceberg, Hive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field

from dagster_monitoring.errors import DeclarationError, SliceNotFoundError
from dagster_monitoring.sources._source import Request, SliceFacts, Source
from dagster_monitoring.sources._spark_fetch import fetched
from dagster_monitoring.sources._spark_files import absent, within
from dagster_monitoring.spark import SparkConnection, SparkRows, StoredFrame, quoted, spark_faults

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class SparkTableSource(Source):
    """A table of Spark's, whose rows are told apart by their timestamp.

    Any table that the session knows: Delta and Iceberg where the session has them. Without
    ``spark``, the session of the model's ``engine`` reads it.

    Example:
        >>> SparkTableSource(table="lake.scores.flights").table
        'lake.scores.flights'
    """

    read_by_spark: ClassVar[bool] = True

    type: Literal["spark_table"] = "spark_table"
    table: str = Field(min_length=1, description="Table, schema.table or catalog.schema.table.")
    spark: SparkConnection | None = Field(
        None, description="The session that reads it; by default that of engine: spark."
    )

    def batches(self, request: Request) -> Iterator[pa.RecordBatch]:
        """See :meth:`Source.batches`; this process holds one of Spark's partitions at a time."""
        with spark_faults(self.name):
            found = self.through_spark(request, self._session())
        (stored,) = found.frames
        wanted = [
            name
            for name in stored.schema.names
            if request.columns is None or name in request.columns
        ]
        schema = pa.schema([stored.schema.field(name) for name in wanted])
        none = True
        for batch in fetched(stored.frame.select(*map(quoted, wanted)), what=self.name):
            none = False
            yield from pa.Table.from_batches([batch]).cast(schema).to_batches()
        if none and found.when_empty is not None:
            raise SliceNotFoundError(found.when_empty)
        if none:
            yield pa.RecordBatch.from_pylist([], schema=schema)

    def describe(self, request: Request) -> SliceFacts:
        """See :meth:`Source.describe`; Spark counts the rows, and tells no size."""
        with spark_faults(self.name):
            (stored,) = self.through_spark(request, self._session()).frames
            return SliceFacts(
                locations=(self.name,),
                size_bytes=None,
                rows=None if request.bounds is None else stored.frame.count(),
                schema=stored.schema,
            )

    def through_spark(self, request: Request, session: SparkSession) -> SparkRows:
        """See :meth:`Source.through_spark`."""
        with spark_faults(self.name):
            frame = session.table(self.table)
            schema = _arrow_schema(frame)
        if request.bounds is None or request.timestamp is None:
            return SparkRows(frames=(StoredFrame(open=lambda: frame, schema=schema),))
        condition = within(request.timestamp, schema, request.bounds, where=self.name)
        rows = frame.filter(condition)
        return SparkRows(
            frames=(StoredFrame(open=lambda: rows, schema=schema),),
            when_empty=absent(request, f"{self.name} has no row"),
        )

    def connected(self, connection: SparkConnection | None) -> Self:
        """See :meth:`Source.connected`."""
        if self.spark is not None:
            return self
        if connection is None:
            raise ValueError(
                "a source of type spark_table needs a Spark session: declare engine: "
                "{type: spark, master: …}, or name one in the source's field spark"
            )
        return self.model_copy(update={"spark": connection})

    def relative_to(self, root: Path) -> Self:
        """See :meth:`Source.relative_to`; a table has no path."""
        del root
        return self

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"table {self.table}"

    def _session(self) -> SparkSession:
        if self.spark is None:
            raise DeclarationError(f"{self.name}: no Spark session is declared (field spark)")
        return self.spark.open()


def _arrow_schema(frame: DataFrame) -> pa.Schema:
    """The types that the frame's batches have, with moments in UTC whatever the session's zone."""
    return pa.schema(
        [field.with_type(_in_utc(field.type)) for field in frame.limit(0).toArrow().schema]
    )


def _in_utc(kind: pa.DataType) -> pa.DataType:
    has_zone = pa.types.is_timestamp(kind) and kind.tz is not None
    return pa.timestamp(kind.unit, tz="UTC") if has_zone else kind
