"""Median absolute error."""

from __future__ import annotations

import math

from dagster_monitoring.statistics.performance._metric import REGRESSION, PerformanceMetric
from dagster_monitoring.statistics.performance._regression import RegressionSummary
from dagster_monitoring.statistics.performance._spread import ONE_ROW
from dagster_monitoring.statistics.performance._summary import Summary, labelled
from dagster_monitoring.statistics.undefined import Undefined, finite

_QUANTILE = 1.96


def compute(summary: Summary) -> float | Undefined:
    """The median of ``|prediction - label|``: half of the errors are smaller.

    From counts of errors in cells no wider than 2^-7 of their value, so off by at most 0.8 % of
    itself; a median of 0 is exact.

    Returns:
        From 0 upwards, in the label's unit; ``Undefined`` without labelled rows.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import regression_summary
        >>> label, prediction = np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 6.0])
        >>> rows = regression_summary(label, prediction)
        >>> round(compute(rows), 1)
        1.0
    """
    found = labelled(summary, RegressionSummary)
    return found if isinstance(found, Undefined) else finite(found.absolute_errors.quantile(0.5))


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`, from how far apart the quantiles about it are.

    Source: McKean, Schrader (1984), Communications in Statistics 13.
    """
    found = labelled(summary, RegressionSummary)
    if isinstance(found, Undefined):
        return found
    if found.n_labelled < 2:  # noqa: PLR2004 - a spread needs two
        return Undefined(ONE_ROW)
    half = _QUANTILE / (2 * math.sqrt(found.n_labelled))
    low = found.absolute_errors.quantile(max(0.5 - half, 0.0))
    high = found.absolute_errors.quantile(min(0.5 + half, 1.0))
    return finite((high - low) / (2 * _QUANTILE))


METRIC = PerformanceMetric(
    name="median_absolute_error",
    title="Median absolute error",
    compute=compute,
    standard_error=standard_error,
    error_method="McKean-Schrader, from quantiles",
    tasks=REGRESSION,
    bounds=(0.0, float("inf")),
    higher_is_better=False,
    symmetric=True,
    unit="label unit",
    needs_score=False,
    degenerate="undefined without labelled rows, or when values overflow",
    source="sklearn.metrics.median_absolute_error, within 2^-7 of itself",
)
