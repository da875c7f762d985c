"""Mean error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import RegressionSummary, Summary
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``prediction - label``: above 0 when predictions are too high.

    Returns:
        Any number, in the label's unit; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction, centre=2.0)
        >>> compute(rows)
        1.0
    """
    if not isinstance(summary, RegressionSummary):
        raise TypeError("mean error is defined for regression")
    if not summary.n_labelled:
        return Undefined("no labelled rows")
    return finite(summary.error_sum / summary.n_labelled)


METRIC = PerformanceMetric(
    name="bias",
    title="Mean error",
    compute=compute,
    tasks=REGRESSION,
    bounds=(float("-inf"), float("inf")),
    higher_is_better=None,
    unit="label unit",
    needs_score=False,
    source="Walther, Moore (2005), The concepts of bias, precision and accuracy",
)
