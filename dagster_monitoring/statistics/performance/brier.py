"""Brier score."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._brier import mean_square, squares_by_score
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._multiclass import MulticlassSummary
from dagster_monitoring.statistics.performance._spread import error_by_score, error_of_mean
from dagster_monitoring.statistics.performance._summary import Summary, scored
from dagster_monitoring.statistics.undefined import Undefined


def compute(summary: Summary) -> float | Undefined:
    """The mean of ``(probability - truth) ** 2``.

    Two classes: of the positive class alone, so at most 1. Several: summed over the classes, so
    at most 2, as Brier wrote it.

    Returns:
        From 0 to 2; ``Undefined`` when no row is scored.

    Example:
        >>> import numpy as np
        >>> from dagster_monitoring.statistics.performance import binary_summary
        >>> label = np.array([False, True, False, True])
        >>> rows = binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))
        >>> round(compute(rows), 4)
        0.1425
    """
    found = scored(summary)
    if isinstance(found, Undefined):
        return found
    if isinstance(found, MulticlassSummary):
        return float(found.squared_error_sum) / found.n_scored
    return mean_square(found)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: that of a mean."""
    found = scored(summary)
    if isinstance(found, Undefined):
        return found
    if isinstance(found, MulticlassSummary):
        total, squares = float(found.squared_error_sum), float(found.squared_error_square_sum)
        return error_of_mean(total, squares, found.n_scored)
    return error_by_score(found.score_counts, *squares_by_score(found.score_counts))


METRIC = PerformanceMetric(
    name="brier",
    title="Brier score",
    compute=compute,
    standard_error=standard_error,
    error_method="of a mean",
    tasks=CLASSIFICATION,
    bounds=(0.0, 2.0),
    higher_is_better=False,
    symmetric=False,
    unit="",
    needs_score=True,
    degenerate="undefined when no row has a score",
    source="Brier (1950); sklearn.metrics.brier_score_loss",
)
