"""Root mean squared logarithmic error."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import mean_error
from dagster_monitoring.statistics.performance._regression import RegressionSummary
from dagster_monitoring.statistics.performance._summary import Summary, labelled
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The root of the mean of ``(ln(1 + prediction) - ln(1 + label)) ** 2``.

    For numbers of any size that are not negative: errors count by their ratio.

    Returns:
        From 0 upwards; ``Undefined`` without labelled rows, or when one label or prediction is -1
        or below.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> round(compute(rows), 4)
        0.3042
    """
    found = _mean_square(summary)
    return found if isinstance(found, Undefined) else math.sqrt(found)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of the mean square, by the delta method."""
    value, error = compute(summary), mean_error(summary, "squared_log_error", "quartic_log_error")
    if isinstance(value, Undefined):
        return value
    if isinstance(error, Undefined):
        return error
    return error / (2 * value) if value else 0.0


def _mean_square(summary: Summary) -> float | Undefined:
    found = labelled(summary, RegressionSummary)
    if isinstance(found, Undefined):
        return found
    if found.sums["squared_log_error"] is None:
        return Undefined("a label or prediction is -1 or below, which has no logarithm")
    return found.mean("squared_log_error")


METRIC = PerformanceMetric(
    name="rmsle",
    title="Root mean squared logarithmic error",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method",
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    symmetric=True,
    unit="",
    needs_score=False,
    degenerate="undefined without labelled rows, or when a label or prediction is -1 or below",
    source="sklearn.metrics.root_mean_squared_log_error",
)
