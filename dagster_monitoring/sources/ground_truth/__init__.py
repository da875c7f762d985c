"""Where labels are read: late, redelivered and corrected, as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from dagster_monitoring.sources._catalogue import discover_kinds
from dagster_monitoring.sources.ground_truth._ground_truth import (
    LABEL_FIELDS,
    Delivery,
    GroundTruth,
    timed_ids,
)
from dagster_monitoring.sources.ground_truth._mark import cursor_behind
from dagster_monitoring.sources.ground_truth.asset import AssetGroundTruth
from dagster_monitoring.sources.ground_truth.parquet import ParquetGroundTruth
from dagster_monitoring.sources.ground_truth.push import PushGroundTruth
from dagster_monitoring.sources.ground_truth.sql import SqlGroundTruth

GROUND_TRUTHS = discover_kinds(__name__, GroundTruth)  # type: ignore[type-abstract] # only its concrete kinds are made

if TYPE_CHECKING:
    AnyGroundTruth = GroundTruth
else:
    # One file more in this folder is one kind more here, in YAML and in its schema.
    _Kinds = Union[tuple(GROUND_TRUTHS.values())]  # noqa: UP007 - X | Y needs names
    AnyGroundTruth = Annotated[_Kinds, Field(discriminator="type")]

__all__ = [
    "GROUND_TRUTHS",
    "LABEL_FIELDS",
    "AnyGroundTruth",
    "AssetGroundTruth",
    "Delivery",
    "GroundTruth",
    "ParquetGroundTruth",
    "PushGroundTruth",
    "SqlGroundTruth",
    "cursor_behind",
    "timed_ids",
]
