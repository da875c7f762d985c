"""R squared."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import RegressionSummary, Summary
from dagster_monitoring.statistics.undefined import Undefined, finite

_ROUNDING = 1e-12


def compute(summary: Summary) -> float | Undefined:
    """``1 - sum((prediction - label) ** 2) / sum((label - mean label) ** 2)``.

    Returns:
        Up to 1; 0 for predicting the mean of these labels, below for worse; ``Undefined`` with
        fewer than two labelled rows, or when all labels are the same.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction, centre=2.0)
        >>> round(compute(rows), 4)
        -0.0714
    """
    if not isinstance(summary, RegressionSummary):
        raise TypeError("R squared is defined for regression")
    if not summary.n_labelled:
        return Undefined("no labelled rows")
    offset = summary.label_sum / summary.n_labelled
    spread = finite(summary.label_square_sum - summary.n_labelled * offset * offset)
    if isinstance(spread, Undefined):
        return spread
    # What rounding leaves of equal labels is not a spread.
    if spread <= summary.label_square_sum * _ROUNDING:
        return Undefined("the labels are all the same, or there is one only")
    return finite(1 - summary.squared_error_sum / spread)


METRIC = PerformanceMetric(
    name="r2",
    title="R squared",
    compute=compute,
    tasks=REGRESSION,
    bounds=(float("-inf"), 1.0),
    higher_is_better=True,
    unit="",
    needs_score=False,
    source="sklearn.metrics.r2_score",
)
