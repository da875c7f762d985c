"""Slices in Parquet files, on a local disk or any fsspec URL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import pyarrow as pa
from pydantic import Field

from dagster_monitoring.sources import _slices, _spark_files
from dagster_monitoring.sources._files import DeclaredOptions, join_root
from dagster_monitoring.sources._paths import SlicePath
from dagster_monitoring.sources._source import Request, SliceFacts, Source
from dagster_monitoring.spark import SparkRows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class ParquetSource(Source):
    """Parquet files: a path with ``{partition}``, a glob, or both.

    ``{partition}`` is the slice's key; ``{partition:%Y/%m/%d/%H}`` parts of the moment at which it
    begins, in the partitions' time zone. Then a slice is the files of its path, all rows of them.
    Without, or where the parts are those of other slices too, a slice is the rows whose timestamp
    lies within it, in whichever file they are.

    Example:
        >>> ParquetSource(path="s3://bucket/day={partition}/*.parquet").path
        's3://bucket/day={partition}/*.parquet'
    """

    read_by_spark: ClassVar[bool] = True

    type: Literal["parquet"] = "parquet"
    path: SlicePath = Field(
        min_length=1,
        description="Path, glob or fsspec URL; {partition} stands for the slice's key, "
        "{partition:%Y/%m/%d/%H} for parts of its start.",
    )
    storage_options: DeclaredOptions = Field(
        default_factory=dict, description="Options for the fsspec file system; secrets by {env: X}."
    )

    def batches(self, request: Request) -> Iterator[pa.RecordBatch]:
        """See :meth:`Source.batches`."""
        return _slices.read_slice(self.path, self.storage_options, request)

    def describe(self, request: Request) -> SliceFacts:
        """See :meth:`Source.describe`; reads the files' footers only."""
        return _slices.describe_slice(self.path, self.storage_options, request)

    def through_spark(self, request: Request, session: SparkSession) -> SparkRows:
        """See :meth:`Source.through_spark`; this process reads the files' footers."""
        return _spark_files.spark_rows(self.path, self.storage_options, request, session)

    def relative_to(self, root: Path) -> ParquetSource:
        """See :meth:`Source.relative_to`."""
        return self.model_copy(update={"path": join_root(self.path, root)})
