"""Mean error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import mean_error, mean_moment
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``prediction - label``: above 0 when predictions are too high.

    Returns:
        Any number, in the label's unit; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> compute(rows)
        1.0
    """
    return mean_moment(summary, "error")


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean."""
    return mean_error(summary, "error", "squared_error")


METRIC = PerformanceMetric(
    name="bias",
    title="Mean error",
    compute=compute,
    standard_error=standard_error,
    error_method="of a mean",
    tasks=REGRESSION,
    bounds=(float("-inf"), float("inf")),
    higher_is_better=None,
    symmetric=False,
    unit="label unit",
    needs_score=False,
    degenerate="undefined without labelled rows, or when values overflow",
    source="Walther, Moore (2005), The concepts of bias, precision and accuracy",
)
