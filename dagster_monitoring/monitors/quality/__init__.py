"""The catalogue of data-quality metrics: one module each, found by itself."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.monitors.quality._metric import QualityMetric, QualityValue, Subject
from dagster_monitoring.statistics.catalogue import discover

__all__ = ["QualityMetric", "QualityValue", "Subject", "quality_metric", "quality_metrics"]


def quality_metrics() -> Mapping[str, QualityMetric]:
    """All data-quality metrics by name, sorted."""
    return discover(__name__, QualityMetric)


def quality_metric(name: str) -> QualityMetric:
    """One data-quality metric.

    Raises:
        UnknownNameError: nothing is called that; says the nearest name.

    Example:
        >>> quality_metric("missing_share").title
        'Share of missing values'
    """
    metrics = quality_metrics()
    if name not in metrics:
        raise UnknownNameError("data-quality metric", name, metrics)
    return metrics[name]
