"""Pinball loss at 50 %."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import pinball, pinball_error
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``0.5 u`` for ``u = label - prediction`` above 0, and of ``0.5 |u|`` below.

    The loss of a forecast of the 50 % quantile; half the mean absolute error.

    Returns:
        From 0 upwards, in the label's unit; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> round(compute(rows), 4)
        0.5
    """
    return pinball(summary, 0.5)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean."""
    return pinball_error(summary, 0.5)


METRIC = PerformanceMetric(
    name="pinball_50",
    title="Pinball loss at 50 %",
    compute=compute,
    standard_error=standard_error,
    error_method="of a mean",
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    symmetric=True,
    unit="label unit",
    needs_score=False,
    degenerate="undefined without labelled rows, or when values overflow",
    source="sklearn.metrics.mean_pinball_loss(alpha=0.5); Koenker, Bassett (1978)",
)
