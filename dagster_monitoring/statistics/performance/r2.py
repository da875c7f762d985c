"""R squared."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import explained, explained_error
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """``1 - sum((prediction - label) ** 2) / sum((label - mean label) ** 2)``.

    Returns:
        Up to 1; 0 for predicting one number always, below for worse; ``Undefined`` with fewer
        than two labelled rows, or when all labels are the same.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> round(compute(rows), 4)
        -0.0714
    """
    return explained(summary, centred=False)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: the delta method on the moments of error and label."""
    return explained_error(summary, centred=False)


METRIC = PerformanceMetric(
    name="r2",
    title="R squared",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method on fourth moments",
    tasks=REGRESSION,
    bounds=(float("-inf"), 1.0),
    higher_is_better=True,
    symmetric=False,
    unit="",
    needs_score=False,
    minimum_n=2,
    degenerate="undefined with fewer than two labelled rows, or when all labels are the same",
    source="sklearn.metrics.r2_score",
)
