"""The catalogue of performance metrics: one module each, found by itself."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.statistics.catalogue import discover
from dagster_monitoring.statistics.performance._metric import PerformanceMetric, TaskName
from dagster_monitoring.statistics.performance._scores import ScoreCounts
from dagster_monitoring.statistics.performance._summary import (
    BinarySummary,
    MulticlassSummary,
    RegressionSummary,
    Summary,
    binary_summary,
    multiclass_summary,
    regression_summary,
)

__all__ = [
    "BinarySummary",
    "MulticlassSummary",
    "PerformanceMetric",
    "RegressionSummary",
    "ScoreCounts",
    "Summary",
    "TaskName",
    "binary_summary",
    "multiclass_summary",
    "performance_metric",
    "performance_metrics",
    "regression_summary",
]


def performance_metrics() -> Mapping[str, PerformanceMetric]:
    """All performance metrics by name, sorted."""
    return discover(__name__, PerformanceMetric)


def performance_metric(name: str) -> PerformanceMetric:
    """One performance metric.

    Raises:
        UnknownNameError: nothing is called that; says the nearest name.

    Example:
        >>> performance_metric("roc_auc").needs_score
        True
    """
    metrics = performance_metrics()
    if name not in metrics:
        raise UnknownNameError("performance metric", name, metrics)
    return metrics[name]
