"""Where slices, baselines and labels are read: Parquet files, databases, the user's assets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from dagster_monitoring.sources._catalogue import discover_kinds
from dagster_monitoring.sources._files import show_path
from dagster_monitoring.sources._paths import names_slices, slice_named
from dagster_monitoring.sources._source import Request, SliceFacts, Source
from dagster_monitoring.sources._times import moments
from dagster_monitoring.sources.asset import AssetSource
from dagster_monitoring.sources.ground_truth import (
    GROUND_TRUTHS,
    LABEL_FIELDS,
    AnyGroundTruth,
    AssetGroundTruth,
    Delivery,
    GroundTruth,
    ParquetGroundTruth,
    PushGroundTruth,
    SqlGroundTruth,
    cursor_behind,
    timed_ids,
)
from dagster_monitoring.sources.parquet import ParquetSource
from dagster_monitoring.sources.spark_table import SparkTableSource
from dagster_monitoring.sources.sql import SqlSource

SOURCES = discover_kinds(__name__, Source)  # type: ignore[type-abstract] # only its concrete kinds are made

if TYPE_CHECKING:
    AnySource = Source
else:
    # One file more in this folder is one kind more here, in YAML and in its schema.
    _Kinds = Union[tuple(SOURCES.values())]  # noqa: UP007 - X | Y needs names
    AnySource = Annotated[_Kinds, Field(discriminator="type")]

__all__ = [
    "GROUND_TRUTHS",
    "LABEL_FIELDS",
    "SOURCES",
    "AnyGroundTruth",
    "AnySource",
    "AssetGroundTruth",
    "AssetSource",
    "Delivery",
    "GroundTruth",
    "ParquetGroundTruth",
    "ParquetSource",
    "PushGroundTruth",
    "Request",
    "SliceFacts",
    "Source",
    "SparkTableSource",
    "SqlGroundTruth",
    "SqlSource",
    "cursor_behind",
    "moments",
    "names_slices",
    "show_path",
    "slice_named",
    "timed_ids",
]
