"""Slices that an asset of the user's own writes: read as Parquet, with its lineage."""

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


class AssetSource(Source):
    """An asset that is already in the graph, and where it writes its Parquet files.

    Example:
        >>> AssetSource(key=["scored", "flights"], path="scored/{partition}.parquet").key
        ('scored', 'flights')
    """

    read_by_spark: ClassVar[bool] = True

    type: Literal["asset"] = "asset"
    key: tuple[str, ...] = Field(min_length=1, description="The asset's key, part by part.")
    path: SlicePath = Field(
        min_length=1,
        description="Where the asset writes; {partition} stands for the slice's key, "
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

    def relative_to(self, root: Path) -> AssetSource:
        """See :meth:`Source.relative_to`."""
        return self.model_copy(update={"path": join_root(self.path, root)})
