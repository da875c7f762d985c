"""The catalogue of performance metrics: one module each, found by itself."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.statistics.catalogue import discover
from dagster_monitoring.statistics.performance._absolute_errors import ErrorCounts
from dagster_monitoring.statistics.performance._binary import (
    BinaryRows,
    BinarySummary,
    Losses,
    binary_summary,
)
from dagster_monitoring.statistics.performance._confusion import Average, ClassRatio, two_classes
from dagster_monitoring.statistics.performance._metric import PerformanceMetric, TaskName
from dagster_monitoring.statistics.performance._multiclass import (
    OTHER_CLASSES,
    MulticlassRows,
    MulticlassSummary,
    multiclass_summary,
)
from dagster_monitoring.statistics.performance._queries import (
    QUERY_METRICS,
    QuerySums,
    RankingSummary,
    ranking_summary,
)
from dagster_monitoring.statistics.performance._regression import (
    MOMENTS,
    RegressionRows,
    RegressionSummary,
    regression_summary,
)
from dagster_monitoring.statistics.performance._scores import ScoreCounts
from dagster_monitoring.statistics.performance._summary import Summary

__all__ = [
    "MOMENTS",
    "OTHER_CLASSES",
    "QUERY_METRICS",
    "Average",
    "BinaryRows",
    "BinarySummary",
    "ClassRatio",
    "ErrorCounts",
    "Losses",
    "MulticlassRows",
    "MulticlassSummary",
    "PerformanceMetric",
    "QuerySums",
    "RankingSummary",
    "RegressionRows",
    "RegressionSummary",
    "ScoreCounts",
    "Summary",
    "TaskName",
    "binary_summary",
    "multiclass_summary",
    "performance_metric",
    "performance_metrics",
    "ranking_summary",
    "regression_summary",
    "two_classes",
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
