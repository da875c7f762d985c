"""Brier score."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import (
    BinarySummary,
    MulticlassSummary,
    Summary,
)
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
        >>> round(compute(binary_summary(label, label, np.array([0.1, 0.4, 0.4, 0.8]))), 4)
        0.1425
    """
    if not isinstance(summary, BinarySummary | MulticlassSummary):
        raise TypeError("the Brier score is defined for classification")
    if not summary.n_scored:
        return Undefined("no labelled row has a score within 0..1")
    return summary.squared_error_sum / summary.n_scored


METRIC = PerformanceMetric(
    name="brier",
    title="Brier score",
    compute=compute,
    tasks=CLASSIFICATION,
    bounds=(0.0, 2.0),
    higher_is_better=False,
    unit="",
    needs_score=True,
    source="Brier (1950); sklearn.metrics.brier_score_loss",
)
