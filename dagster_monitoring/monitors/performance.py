"""Performance: predictions against the labels that have arrived."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors.threshold import Limits, RelativeThreshold, Threshold


class PerformanceMonitor(Monitor):
    """Holds realized performance against the baseline's, numbers, or its own past."""

    asset: ClassVar[MonitoredAsset] = "performance"

    type: Literal["performance"] = "performance"
    window: int = Field(
        3, ge=1, le=366, description="How many slices, up to the judged one, are put together."
    )
    metrics: tuple[str, ...] = Field(
        (), description="Performance metrics; a sensible set of the task's when left out."
    )
    minimum_labelled: int = Field(
        30, ge=1, description="With fewer labelled rows in the window there is no verdict."
    )
    minimum_coverage: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Until labels are due, the share of the slice that must have its label.",
    )

    def measure(self, view: View) -> list[Measurement]:
        """One value a metric and segment."""
        raise NotImplementedError

    def default_threshold(self, metric: str) -> Threshold:
        """A change from the baseline's reference performance."""
        return RelativeThreshold(error=Limits(upper=0.1))

    def baseline_kind(self) -> str | None:
        """``"training"``: its reference performance is the training baseline's."""
        return "training"

    def metric_names(self) -> tuple[str, ...]:
        """The declared metrics."""
        return self.metrics
