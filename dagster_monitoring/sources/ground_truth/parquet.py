"""Labels in Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import Field

from dagster_monitoring.declaration import PlainPath
from dagster_monitoring.sources._files import DeclaredOptions, join_root
from dagster_monitoring.sources.ground_truth._ground_truth import Delivery, GroundTruth
from dagster_monitoring.sources.ground_truth._label_files import (
    PATH_FIELD,
    list_deliveries,
    read_delivery,
)


class ParquetGroundTruth(GroundTruth):
    """Parquet files of labels: a path, a glob, any fsspec URL; new and changed files are read.

    Example:
        >>> ParquetGroundTruth(path="data/labels/*.parquet", expected_delay_days=3).revision
        'revision'
    """

    type: Literal["parquet"] = "parquet"
    path: PlainPath = Field(min_length=1, description=PATH_FIELD)
    storage_options: DeclaredOptions = Field(
        default_factory=dict, description="Options for the fsspec file system; secrets by {env: X}."
    )

    def deliveries(self, after: str | None = None) -> list[Delivery]:
        """See :meth:`GroundTruth.deliveries`: one delivery a file."""
        return list_deliveries(self.path, self.storage_options, after)

    def read(self, delivery: Delivery, *, id: str, label: str) -> Iterator[pa.Table]:  # noqa: A002 - the word that declarations use
        """See :meth:`GroundTruth.read`."""
        return read_delivery(self, self.storage_options, delivery, id=id, label=label)

    def relative_to(self, root: Path) -> ParquetGroundTruth:
        """See :meth:`GroundTruth.relative_to`."""
        return self.model_copy(update={"path": join_root(self.path, root)})
