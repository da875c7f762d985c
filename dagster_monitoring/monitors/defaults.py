"""What ``monitors: default`` stands for."""

from __future__ import annotations

from dagster_monitoring.evaluation import Severity
from dagster_monitoring.monitors._monitor import Monitor
from dagster_monitoring.monitors.data_quality import DataQualityMonitor
from dagster_monitoring.monitors.drift import DriftMonitor, Rolling
from dagster_monitoring.monitors.label_coverage import LabelCoverageMonitor
from dagster_monitoring.monitors.performance import PerformanceMonitor
from dagster_monitoring.schema import Columns, Task


def default_monitors(task: Task, columns: Columns, *, labels: bool = True) -> list[Monitor]:
    """A sensible set for a model.

    Args:
        task: what the model predicts.
        columns: the columns of its rows.
        labels: whether ground truth is declared; without it nothing measures performance.
    """
    del task
    features = [DriftMonitor(severity=Severity.WARN)] if columns.features else []
    drift = [*features, DriftMonitor(columns="predictions", baseline=Rolling(rolling=14))]
    labelled: list[Monitor] = [PerformanceMonitor(), LabelCoverageMonitor()] if labels else []
    return [DataQualityMonitor(), *drift, *labelled]
