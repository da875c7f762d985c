"""Expected calibration error."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._calibration import (
    calibration_error,
    calibration_spread,
    equal_width,
)
from dagster_monitoring.statistics.performance._metric import BINARY, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean distance of score and share of positives: ``sum(n_b / n |mean score - share|)``.

    Over ten bins of equal width over 0..1; a score on an edge belongs to the bin above.
    By chance alone it is about ``0.8 sqrt(sum of p (1 - p) / n_b)`` a bin above 0, so that few rows
    look badly calibrated.

    Returns:
        From 0 (calibrated) to 1; ``Undefined`` when no row is scored.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import binary_summary
        >>> label = np.array([False, True, False, True])
        >>> rows = binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))
        >>> round(compute(rows), 4)
        0.125
    """
    return calibration_error(summary, equal_width)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`, taking the side that each bin errs to as known."""
    return calibration_spread(summary, equal_width)


METRIC = PerformanceMetric(
    name="ece",
    title="Expected calibration error",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method, bins and their sides taken as known",
    tasks=BINARY,
    bounds=(0.0, 1.0),
    higher_is_better=False,
    symmetric=False,
    unit="share",
    needs_score=True,
    degenerate="undefined when no row has a score",
    source="Naeini, Cooper, Hauskrecht (2015), AAAI",
    by_class=True,
)
