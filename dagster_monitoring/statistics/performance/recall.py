"""Recall."""

from __future__ import annotations

from dagster_monitoring.statistics.performance._confusion import ClassRatio
from dagster_monitoring.statistics.performance._metric import CLASSIFICATION, PerformanceMetric
from dagster_monitoring.statistics.performance._summary import Summary
from dagster_monitoring.statistics.undefined import Undefined

RATIO = ClassRatio(
    part=(1.0, 0.0, 0.0, 0.0),
    whole=(0.0, 0.0, 1.0, 0.0),
    empty="no positive label",
)


def compute(summary: Summary) -> float | Undefined:
    """Of the rows that are positive, the share predicted so: ``tp / (tp + fn)``.

    Several classes: the mean over the classes present, where a class that no row has counts
    0 (scikit-learn's macro average); weighted and micro averages on request.

    Returns:
        From 0 to 1; ``Undefined`` without labelled rows, or when no label is positive.

    Example:
        >>> from dagster_monitoring.statistics.performance import BinarySummary
        >>> rows = BinarySummary(
        ...     n_labelled=9, true_negative=2, true_positive=3, false_positive=1, false_negative=3
        ... )
        >>> compute(rows)
        0.5
    """
    return RATIO.value(summary)


def standard_error(summary: Summary) -> float | Undefined:
    """Sampling error of :func:`compute`: the delta method on the confusion table."""
    return RATIO.error(summary)


METRIC = PerformanceMetric(
    name="recall",
    title="Recall",
    compute=compute,
    standard_error=standard_error,
    error_method="delta method on the confusion table",
    tasks=CLASSIFICATION,
    bounds=(0.0, 1.0),
    higher_is_better=True,
    symmetric=False,
    unit="share",
    needs_score=False,
    degenerate="undefined when no label is positive; 0 for one class of several",
    source="sklearn.metrics.recall_score(average='macro', zero_division=0)",
    ratio=RATIO,
    by_class=True,
)
