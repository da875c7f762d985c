"""The catalogue of multivariate drift metrics: one module each, found by itself."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_monitoring.errors import UnknownNameError
from dagster_monitoring.statistics.catalogue import discover
from dagster_monitoring.statistics.multivariate._metric import MultivariateMetric
from dagster_monitoring.statistics.multivariate._reconstruction import ReconstructionErrors
from dagster_monitoring.statistics.multivariate._rows import SampledRows

__all__ = [
    "MultivariateMetric",
    "ReconstructionErrors",
    "SampledRows",
    "multivariate_metric",
    "multivariate_metrics",
]


def multivariate_metrics() -> Mapping[str, MultivariateMetric]:
    """All multivariate drift metrics by name, sorted."""
    return discover(__name__, MultivariateMetric)


def multivariate_metric(name: str) -> MultivariateMetric:
    """One multivariate drift metric.

    Raises:
        UnknownNameError: nothing is called that; says the nearest name.

    Example:
        >>> multivariate_metric("domain_classifier").needs
        'sample'
    """
    metrics = multivariate_metrics()
    if name not in metrics:
        raise UnknownNameError("multivariate drift metric", name, metrics)
    return metrics[name]
