"""Mean absolute percentage error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import RegressionSummary, Summary
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``|prediction - label| / max(|label|, eps)``, a ratio: 0.1 is ten per cent.

    ``eps`` is the step of a float at 1 (2.2e-16), so one label of 0 makes it astronomical: take
    :mod:`.mae` where labels can be 0.

    Returns:
        From 0 upwards; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction, centre=2.0)
        >>> compute(rows)
        0.5
    """
    if not isinstance(summary, RegressionSummary):
        raise TypeError("mean absolute percentage error is defined for regression")
    if not summary.n_labelled:
        return Undefined("no labelled rows")
    return finite(summary.absolute_percentage_error_sum / summary.n_labelled)


METRIC = PerformanceMetric(
    name="mape",
    title="Mean absolute percentage error",
    compute=compute,
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    unit="share",
    needs_score=False,
    source="sklearn.metrics.mean_absolute_percentage_error",
)
