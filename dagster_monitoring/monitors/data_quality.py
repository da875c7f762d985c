"""Data quality: what is wrong with the rows themselves, from the slice's profile."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits, Threshold


class DataQualityMonitor(Monitor):
    """Counts missing values, new categories, faults, duplicates and rows of a slice."""

    asset: ClassVar[MonitoredAsset] = "data_quality"

    type: Literal["data_quality"] = "data_quality"
    metrics: tuple[str, ...] = Field((), description="Quality metrics; all of them when left out.")
    columns: tuple[str, ...] = Field(
        (), description="Columns; all features, predictions and scores when left out."
    )

    def measure(self, view: View) -> list[Measurement]:
        """One value a metric, column and segment."""
        raise NotImplementedError

    def default_threshold(self, metric: str) -> Threshold:
        """The metric's own limits."""
        return AbsoluteThreshold(error=Limits(upper=0.0))

    def baseline_kind(self) -> str | None:
        """``"training"``: what is new or missing is so against training."""
        return "training"

    def metric_names(self) -> tuple[str, ...]:
        """The declared metrics, or all."""
        return self.metrics
