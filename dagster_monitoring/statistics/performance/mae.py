"""Mean absolute error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import RegressionSummary, Summary
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``|prediction - label|``.

    Returns:
        From 0 upwards, in the label's unit; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction, centre=2.0)
        >>> compute(rows)
        1.0
    """
    if not isinstance(summary, RegressionSummary):
        raise TypeError("mean absolute error is defined for regression")
    if not summary.n_labelled:
        return Undefined("no labelled rows")
    return finite(summary.absolute_error_sum / summary.n_labelled)


METRIC = PerformanceMetric(
    name="mae",
    title="Mean absolute error",
    compute=compute,
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    unit="label unit",
    needs_score=False,
    source="sklearn.metrics.mean_absolute_error",
)
