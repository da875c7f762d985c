"""Labels that an asset of the user's own writes."""

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


class AssetGroundTruth(GroundTruth):
    """An asset that is already in the graph and writes labels; looked at when it materializes.

    Example:
        >>> AssetGroundTruth(key=["settled_claims"], path="claims/*.parquet").key
        ('settled_claims',)
    """

    type: Literal["asset"] = "asset"
    key: tuple[str, ...] = Field(min_length=1, description="The asset's key, part by part.")
    path: PlainPath = Field(min_length=1, description=PATH_FIELD)
    storage_options: DeclaredOptions = Field(
        default_factory=dict, description="Options for the fsspec file system; secrets by {env: X}."
    )

    @property
    def asset_key(self) -> tuple[str, ...]:
        """See :attr:`GroundTruth.asset_key`."""
        return self.key

    def deliveries(self, after: str | None = None) -> list[Delivery]:
        """See :meth:`GroundTruth.deliveries`: one delivery a file."""
        return list_deliveries(self.path, self.storage_options, after)

    def read(self, delivery: Delivery, *, id: str, label: str) -> Iterator[pa.Table]:  # noqa: A002 - the word that declarations use
        """See :meth:`GroundTruth.read`."""
        return read_delivery(self, self.storage_options, delivery, id=id, label=label)

    def relative_to(self, root: Path) -> AssetGroundTruth:
        """See :meth:`GroundTruth.relative_to`."""
        return self.model_copy(update={"path": join_root(self.path, root)})
