"""Pinball loss at 90 %."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import pinball, pinball_error
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``0.9 u`` for ``u = label - prediction`` above 0, and of ``0.1 |u|`` below.

    The loss of a forecast of the 90 % quantile: an error downwards costs nine times one upwards.

    Returns:
        From 0 upwards, in the label's unit; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> round(compute(rows), 4)
        0.1
    """
    return pinball(summary, 0.9)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean."""
    return pinball_error(summary, 0.9)


METRIC = PerformanceMetric(
    name="pinball_90",
    title="Pinball loss at 90 %",
    compute=compute,
    standard_error=standard_error,
    error_method="of a mean",
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    symmetric=False,
    unit="label unit",
    needs_score=False,
    degenerate="undefined without labelled rows, or when values overflow",
    source="sklearn.metrics.mean_pinball_loss(alpha=0.9); Koenker, Bassett (1978)",
)
