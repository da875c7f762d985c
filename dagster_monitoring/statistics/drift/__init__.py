"""The catalogue of drift metrics: one module each, found by itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.statistics.catalogue import discover
from dagster_monitoring.statistics.drift._metric import DriftMetric
from dagster_monitoring.statistics.drift._pair import Pair, side_by_side

__all__ = ["DriftMetric", "Pair", "drift_metric", "drift_metrics", "side_by_side"]


@cache
def drift_metrics() -> Mapping[str, DriftMetric]:
    """All drift metrics by name, sorted."""
    return discover(__name__, DriftMetric)


def drift_metric(name: str) -> DriftMetric:
    """One drift metric.

    Raises:
        UnknownNameError: nothing is called that; says the nearest name.

    Example:
        >>> drift_metric("psi").title
        'Population stability index'
    """
    metrics = drift_metrics()
    if name not in metrics:
        raise UnknownNameError("drift metric", name, metrics)
    return metrics[name]
