"""What every engine can do: turn a slice into its profile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from dagster_monitoring.profiles.bins import BinSet
from dagster_monitoring.profiles.profile import Profile
from dagster_monitoring.schema import Columns
from dagster_monitoring.spark import SparkRows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPlan:
    """What to count; the arguments of :func:`dagster_monitoring.profiles.scan.scan`."""

    bins: BinSet
    columns: Columns
    extra_numeric: tuple[str, ...] = ()
    extra_categorical: tuple[str, ...] = ()
    bounds: tuple[datetime, datetime] | None = None
    known: tuple[str, ...] = ()

    def scan(self, batches: Iterable[pa.RecordBatch]) -> Profile:
        """The profile of these rows, by the kernel of one process."""
        from dagster_monitoring.profiles.scan import scan

        return scan(
            batches,
            bins=self.bins,
            columns=self.columns,
            extra_numeric=self.extra_numeric,
            extra_categorical=self.extra_categorical,
            bounds=self.bounds,
            known=self.known,
        )


class SliceRows(Protocol):
    """A slice that can be read in more ways than one."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its rows, in this process."""

    def through_spark(self, session: SparkSession) -> SparkRows:
        """Its rows, as Spark reads them."""


class Engine(Protocol):
    """Where a slice is scanned; each kind is one file of this folder with its ``type``."""

    @property
    def type(self) -> str:
        """The kind's name in YAML."""

    def profile(self, rows: SliceRows, plan: ScanPlan) -> Profile:
        """The slice's profile, the same to the last bit from every engine.

        Raises:
            DataError: the slice is not there, or can't be read.
            EngineError: the engine can't serve.
        """
