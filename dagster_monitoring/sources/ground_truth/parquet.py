"""Labels in Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import Field

from dagster_monitoring.declaration import EnvironmentVariable
from dagster_monitoring.errors import DataError
from dagster_monitoring.sources._files import (
    BATCH_ROWS,
    PLACEHOLDER,
    StoredFile,
    join_root,
    list_files,
    open_parquet,
    show_path,
)
from dagster_monitoring.sources.ground_truth._ground_truth import (
    Delivery,
    GroundTruth,
    missing_column,
)


class ParquetGroundTruth(GroundTruth):
    """Parquet files of labels: a path, a glob, any fsspec URL; new and changed files are read.

    Example:
        >>> ParquetGroundTruth(path="data/labels/*.parquet", expected_delay_days=3).revision
        'revision'
    """

    type: Literal["parquet"] = "parquet"
    path: str = Field(min_length=1, description="Path, glob or fsspec URL of the label files.")
    storage_options: dict[str, str | EnvironmentVariable] = Field(
        default_factory=dict, description="Options for the fsspec file system; secrets by {env: X}."
    )

    def deliveries(self, after: str | None = None) -> list[Delivery]:  # noqa: ARG002 - files are known by fingerprint
        """See :meth:`GroundTruth.deliveries`: one delivery a file."""
        files = list_files(self.path.replace(PLACEHOLDER, "*"), self.storage_options)
        return [
            Delivery(
                uri=file.url,
                fingerprint=file.fingerprint,
                cursor=file.url,
                arrived_at=file.modified_at,
            )
            for file in sorted(files, key=lambda file: (file.modified_at, file.url))
        ]

    def read(self, delivery: Delivery, *, id: str, label: str) -> Iterator[pa.Table]:  # noqa: A002 - the word that declarations use
        """See :meth:`GroundTruth.read`."""
        file, where = self._file(delivery), f"file {show_path(delivery.uri)}"
        key = self.id or id
        with open_parquet(file, self.storage_options) as parquet:
            names = parquet.schema_arrow.names
            for name, field in ((key, "id"), (label, "task.label")):
                if name not in names:
                    raise missing_column(name, names, where=where, field=field)
            columns = [key, label, *self.optional_columns(names, where=where)]
            for batch in parquet.iter_batches(
                batch_size=BATCH_ROWS, columns=list(dict.fromkeys(columns))
            ):
                yield self.normalise(
                    batch,
                    id_column=key,
                    label_column=label,
                    arrived_at=delivery.arrived_at,
                    where=where,
                )

    def relative_to(self, root: Path) -> ParquetGroundTruth:
        """See :meth:`GroundTruth.relative_to`."""
        return self.model_copy(update={"path": join_root(self.path, root)})

    def _file(self, delivery: Delivery) -> StoredFile:
        for file in list_files(delivery.uri, self.storage_options):
            return file
        raise DataError(f"file {show_path(delivery.uri)} went away before it was read")
