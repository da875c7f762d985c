"""Mean squared error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import RegressionSummary, Summary
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``(prediction - label) ** 2``.

    Returns:
        From 0 upwards, in the label's unit squared; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction, centre=2.0)
        >>> round(compute(rows), 4)
        1.6667
    """
    if not isinstance(summary, RegressionSummary):
        raise TypeError("mean squared error is defined for regression")
    if not summary.n_labelled:
        return Undefined("no labelled rows")
    return finite(summary.squared_error_sum / summary.n_labelled)


METRIC = PerformanceMetric(
    name="mse",
    title="Mean squared error",
    compute=compute,
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    unit="label unit squared",
    needs_score=False,
    source="sklearn.metrics.mean_squared_error",
)
