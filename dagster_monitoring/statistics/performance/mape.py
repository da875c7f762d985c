"""Mean absolute percentage error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import mean_error, mean_moment
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``|prediction - label| / max(|label|, eps)``, a ratio: 0.1 is ten per cent.

    ``eps`` is the step of a float at 1 (2.2e-16), so one label of 0 makes it astronomical: take
    :mod:`.mae` or :mod:`.wape` where labels can be 0.

    Returns:
        From 0 upwards; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> compute(rows)
        0.5
    """
    return mean_moment(summary, "percentage_error")


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean."""
    return mean_error(summary, "percentage_error", "squared_percentage_error")


METRIC = PerformanceMetric(
    name="mape",
    title="Mean absolute percentage error",
    compute=compute,
    standard_error=standard_error,
    error_method="of a mean",
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    symmetric=False,
    unit="share",
    needs_score=False,
    degenerate="undefined without labelled rows, or when values overflow",
    source="sklearn.metrics.mean_absolute_percentage_error",
)
