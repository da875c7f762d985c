"""Weighted absolute percentage error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._moments import ratio_error
from dagster_monitoring.statistics.performance._regression import RegressionSummary
from dagster_monitoring.statistics.performance._summary import Summary, labelled
from dagster_monitoring.statistics.undefined import Undefined, finite


def compute(summary: Summary) -> float | Undefined:
    """``sum(|prediction - label|) / sum(|label|)``: the error as a share of all there was.

    Unlike :mod:`.mape` it holds where single labels are 0.

    Returns:
        From 0 upwards; ``Undefined`` without labelled rows, or when all labels are 0.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> round(compute(rows), 4)
        0.4286
    """
    found = labelled(summary, RegressionSummary)
    if isinstance(found, Undefined):
        return found
    error, size = found.mean("absolute_error"), found.mean("absolute_label")
    if isinstance(error, Undefined):
        return error
    if isinstance(size, Undefined):
        return size
    return finite(error / size) if size else Undefined("all labels are 0")


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a ratio of means, by the delta method."""
    value = compute(summary)
    return value if isinstance(value, Undefined) else ratio_error(summary, value)


METRIC = PerformanceMetric(
    name="wape",
    title="Weighted absolute percentage error",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method",
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    symmetric=False,
    unit="share",
    needs_score=False,
    degenerate="undefined without labelled rows, or when all labels are 0",
    source="Kolassa, Schuetz (2007), Foresight 6",
)
