"""Root mean squared error."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import mean_error, mean_moment
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The root of the mean of ``(prediction - label) ** 2``.

    Returns:
        From 0 upwards, in the label's unit; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> round(compute(rows), 4)
        1.291
    """
    found = mean_moment(summary, "squared_error")
    return found if isinstance(found, Undefined) else math.sqrt(found)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of the mean square, by the delta method."""
    value, error = compute(summary), mean_error(summary, "squared_error", "quartic_error")
    if isinstance(value, Undefined):
        return value
    if isinstance(error, Undefined):
        return error
    return error / (2 * value) if value else 0.0


METRIC = PerformanceMetric(
    name="rmse",
    title="Root mean squared error",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method",
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    symmetric=True,
    unit="label unit",
    needs_score=False,
    degenerate="undefined without labelled rows, or when values overflow",
    source="sklearn.metrics.root_mean_squared_error",
)
