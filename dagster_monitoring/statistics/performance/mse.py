"""Mean squared error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import mean_error, mean_moment
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``(prediction - label) ** 2``.

    Returns:
        From 0 upwards, in the label's unit squared; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> round(compute(rows), 4)
        1.6667
    """
    return mean_moment(summary, "squared_error")


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean."""
    return mean_error(summary, "squared_error", "quartic_error")


METRIC = PerformanceMetric(
    name="mse",
    title="Mean squared error",
    compute=compute,
    standard_error=standard_error,
    error_method="of a mean",
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    symmetric=True,
    unit="label unit squared",
    needs_score=False,
    degenerate="undefined without labelled rows, or when values overflow",
    source="sklearn.metrics.mean_squared_error",
)
