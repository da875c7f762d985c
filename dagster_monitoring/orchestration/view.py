"""What the monitors see of a model at one partition, and nothing later than it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pyarrow as pa

from dagster_monitoring.monitors import Once
from dagster_monitoring.orchestration.backend import Backend
from dagster_monitoring.orchestration.declarations import Settings
from dagster_monitoring.orchestration.slices import read_slice
from dagster_monitoring.orchestration.windows import Slices
from dagster_monitoring.profiles.baseline import Baseline
from dagster_monitoring.profiles.delays import Arrivals
from dagster_monitoring.profiles.window import PerformanceWindow, Window
from dagster_monitoring.schema import Columns, Partitions, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionView:
    """A model at a partition, against one baseline: the ``View`` that monitors measure.

    ``left_out`` are the partitions that a person marked, as normal or as bad. ``looked_back``
    gets, of each look, how many slices before the partition it began, also of looks from the
    earlier views that :meth:`at` gives; ``seen_from`` is what gave this one, and how far on.
    """

    backend: Backend
    profiles: Slices
    baseline: Baseline
    settings: Settings
    partition: str
    now: datetime
    left_out: frozenset[str] = frozenset()
    once: Once = field(default_factory=Once)
    looked_back: list[int] = field(default_factory=list)
    seen_from: tuple[PartitionView, int] | None = None

    @property
    def model(self) -> str:
        """The model's name."""
        return self.backend.model.model

    @property
    def task(self) -> Task:
        """What the model predicts."""
        return self.backend.model.task

    @property
    def columns(self) -> Columns:
        """The columns by their role."""
        return self.settings.columns

    @property
    def segments(self) -> tuple[str, ...]:
        """The columns that rows are grouped by."""
        return self.settings.segments

    @property
    def partitions(self) -> Partitions:
        """The model's days."""
        return self.backend.model.partitions

    @property
    def labels_due(self) -> datetime | None:
        """When the partition's labels are expected; ``None`` without ground truth."""
        delay = self.settings.expected_delay_days
        if delay is None:
            return None
        return self.partitions.bounds(self.partition)[1] + timedelta(days=delay)

    def window(self, length: int) -> Window:
        """The profile of the ``length`` slices that end with this partition."""
        self._looked(length - 1)
        return self.profiles.window(self.baseline, last=self.partition, length=length)

    def rolling(self, length: int, *, before: int) -> Window:
        """The profile of the ``length`` slices right before the ``before`` latest ones."""
        self._looked(before + length - 1)
        last = self.partitions.shift(self.partition, -before)
        return self.profiles.window(self.baseline, last=last, length=length)

    def performance(self, length: int) -> PerformanceWindow:
        """Predictions against the labels that arrived, over the ``length`` latest slices."""
        self._looked(length - 1)
        return self.profiles.performance_window(last=self.partition, length=length)

    def arrivals(self, length: int, *, before: int) -> Arrivals:
        """When labels came, of the ``length`` slices right before the ``before`` latest ones."""
        self._looked(before + length - 1)
        last = self.partitions.shift(self.partition, -before)
        return self.profiles.arrivals(last=last, length=length)

    def slice_batches(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        """Raw rows of this partition's slice."""
        return read_slice(self.backend.model, self.partition, columns)

    def at(self, partition: str) -> PartitionView:
        """The same model at an earlier partition, with the same ``now`` and the same baseline."""
        back = self.partitions.distance(partition, self.partition)
        return replace(self, partition=partition, looked_back=[], seen_from=(self, back))

    def _looked(self, back: int) -> None:
        self.looked_back.append(back)
        if self.seen_from is not None:
            later, further = self.seen_from
            later._looked(back + further)  # noqa: SLF001 - its own class
