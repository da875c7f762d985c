"""Symmetric mean absolute percentage error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import mean_error, mean_moment
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``2 |prediction - label| / (|prediction| + |label|)``; 0 where both are 0.

    The form that goes from 0 to 2; others leave out the 2, or multiply by 100.

    Returns:
        From 0 to 2; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> round(compute(rows), 4)
        0.3556
    """
    return mean_moment(summary, "symmetric_error")


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean."""
    return mean_error(summary, "symmetric_error", "squared_symmetric_error")


METRIC = PerformanceMetric(
    name="smape",
    title="Symmetric mean absolute percentage error",
    compute=compute,
    standard_error=standard_error,
    error_method="of a mean",
    tasks=REGRESSION,
    bounds=(0.0, 2.0),
    higher_is_better=False,
    symmetric=True,
    unit="share",
    needs_score=False,
    degenerate="undefined without labelled rows, or when values overflow",
    source="Makridakis (1993), International Journal of Forecasting 9",
)
