"""Label coverage: the share of predictions whose label has arrived."""

from __future__ import annotations

from typing import ClassVar, Literal

from dagster_monitoring.monitors._monitor import Measurement, Monitor, MonitoredAsset, View
from dagster_monitoring.monitors.threshold import AbsoluteThreshold, Limits, Threshold


class LabelCoverageMonitor(Monitor):
    """Watches that labels come; judged from the day on which they are due."""

    asset: ClassVar[MonitoredAsset] = "performance"

    type: Literal["label_coverage"] = "label_coverage"

    def measure(self, view: View) -> list[Measurement]:
        """The share of labelled rows, 0..1, of all rows and of each segment."""
        raise NotImplementedError

    def default_threshold(self, metric: str) -> Threshold:
        """WARN below 0.7, ERROR below 0.3."""
        del metric
        return AbsoluteThreshold(warn=Limits(lower=0.7), error=Limits(lower=0.3))

    def metric_names(self) -> tuple[str, ...]:
        """``label_coverage`` alone."""
        return ("label_coverage",)
