"""The catalogue of drift metrics: one module each, found by itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.statistics.catalogue import discover
from dagster_monitoring.statistics.drift._metric import DriftMetric, Kind, Told
from dagster_monitoring.statistics.drift._pair import Pair, Pairs
from dagster_monitoring.statistics.drift._side import Side

__all__ = ["DriftMetric", "Kind", "Pair", "Pairs", "Side", "Told", "drift_metric", "drift_metrics"]


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
